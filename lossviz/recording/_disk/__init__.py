"""A recorded run as files: its schema, its writer and reader, and the compaction to Parquet."""
