"""Small random models and data sets, made on the spot: nothing comes from a hub."""

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, TrainingArguments

WORDS = ["<pad>", "<eos>", *"abcdefghijklmn"]


def llama(vocabulary=16):
    """A causal model of two small layers."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        pad_token_id=0,
        eos_token_id=1,
        bos_token_id=None,
    )
    return LlamaForCausalLM(config)


def tokenizer(pad=WORDS[0]):
    """One word a letter."""
    model = Tokenizer(WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token=WORDS[0]))
    model.pre_tokenizer = Whitespace()
    return PreTrainedTokenizerFast(tokenizer_object=model, pad_token=pad, eos_token=WORDS[1])


def examples(count=16, longest=6, pad=0, ignored=-100):
    """Sequences of unequal lengths, padded; labels are the inputs, with −100 on the padding."""
    generator = torch.Generator().manual_seed(0)
    made = []
    for number in range(count):
        length = 2 + number % (longest - 1)
        ids = torch.full((longest,), pad)
        ids[: length - 1] = torch.randint(2, 16, (length - 1,), generator=generator)
        ids[length - 1] = 1
        real = torch.arange(longest) < length
        made.append({"input_ids": ids, "attention_mask": real.long(), "labels": torch.where(real, ids, ignored)})
    return made


def arguments(folder, **changes):
    """Training that prints every step and writes nothing else."""
    given = {
        "output_dir": str(folder),
        "per_device_train_batch_size": 2,
        "max_steps": 4,
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": "none",
        "use_cpu": True,
        "disable_tqdm": True,
        "dataloader_pin_memory": False,
    }
    return TrainingArguments(**given | changes)
