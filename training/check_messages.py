"""Loads trajectories in the messages form with `datasets`, and takes one step with TRL's own trainer.

    npm run synthesise -- --out messages.jsonl --count 40 --form messages
    pip install trl==1.16.0 datasets==5.2.0 && python check_messages.py messages.jsonl

The tokenizer and the model are made here, tiny and untrained, so that nothing is downloaded: what is tried is whether the
trainer takes the columns, renders tools and calls through a chat template, learns the model's own words only, and steps once.
"""

import argparse
import tempfile
from pathlib import Path

from datasets import load_dataset
from tokenizers import decoders, models, pre_tokenizers, Tokenizer
from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM
from trl import SFTConfig, SFTTrainer

# Calls with their arguments as JSON, which is how they stand in the file; the marks tell a trainer which words are the model's.
TEMPLATE = """{%- if tools %}{{- '<|im_start|>tools\n' + (tools | tojson) + '<|im_end|>\n' }}{%- endif %}
{%- for message in messages %}
{%- if message.role == 'assistant' %}{{- '<|im_start|>assistant\n' }}{% generation %}{{- message.content or '' }}
{%- for call in message.tool_calls or [] %}{{- '<tool_call>\n<function=' + call.function.name + '>\n' }}
{{- call.function.arguments + '\n</function>\n</tool_call>' }}{%- endfor %}{{- '<|im_end|>' }}{% endgeneration %}{{- '\n' }}
{%- else %}{{- '<|im_start|>' + message.role + '\n' + (message.content or '') + '<|im_end|>\n' }}{%- endif %}
{%- endfor %}{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{%- endif %}"""


def byte_tokenizer() -> PreTrainedTokenizerFast:
    """Every byte a token, and the marks of a turn."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    special = ["<|im_start|>", "<|im_end|>", "<|pad|>"]
    tokenizer = Tokenizer(models.BPE(vocab={token: index for index, token in enumerate([*alphabet, *special])}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|pad|>", additional_special_tokens=["<|im_start|>"])
    fast.chat_template = TEMPLATE
    return fast


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("file", type=Path)
    asked = args.parse_args()

    data = load_dataset("json", data_files=str(asked.file), split="train")
    tokenizer = byte_tokenizer()
    first = data[0]
    calls = sum(len(message.get("tool_calls") or []) for row in data for message in row["messages"])
    assert calls > 0 and first["tools"], "no tool or no call was read"

    small = Qwen3Config(vocab_size=len(tokenizer), hidden_size=32, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=1, head_dim=16)
    with tempfile.TemporaryDirectory() as folder:
        config = SFTConfig(output_dir=folder, max_steps=1, per_device_train_batch_size=2, max_length=8192, assistant_only_loss=True, use_cpu=True, bf16=False, report_to="none", save_strategy="no")
        trainer = SFTTrainer(model=Qwen3ForCausalLM(small), args=config, train_dataset=data, processing_class=tokenizer)
        prepared = trainer.train_dataset[0]
        own = [label for label in prepared["labels"] if label != -100]
        learnt = tokenizer.decode(own)
        said = next(message for message in first["messages"] if message["role"] == "assistant")
        name = said["tool_calls"][0]["function"]["name"] if said.get("tool_calls") else ""
        assert name in learnt and "<tool_call>" in learnt, "the model's own calls are not what is learnt"
        others = [message["content"] for message in first["messages"] if message["role"] != "assistant" and message["content"]]
        assert all(text not in learnt for text in others), "somebody else's words are learnt"
        loss = trainer.train().training_loss
    print(f"{len(data)} trajectories, {calls} calls; {len(own)} of {len(prepared['input_ids'])} tokens of the first are learnt; one step, loss {loss:.2f}")


if __name__ == "__main__":
    main()
