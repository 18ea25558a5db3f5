"""What packed bytes take in memory, counted before anything is unpacked: by what their pages and messages say."""

from lossviz.unpacking._budget import MIB, Budget, size_words
from lossviz.unpacking._footer import Chunk, Group, footer_of
from lossviz.unpacking._messages import message_bytes
from lossviz.unpacking._pages import unpacked_size

__all__ = ["MIB", "Budget", "Chunk", "Group", "footer_of", "message_bytes", "size_words", "unpacked_size"]
