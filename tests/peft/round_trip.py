"""Compares our reading and writing of adapters with PEFT's own.

For a small random model of each architecture: an adapter that PEFT made gives the same logits in Radline,
and the one that Radline writes gives the same in PEFT, to 1e-3 of their size. It needs torch,
transformers, peft and gguf, which are no part of Radline's own tests:

    python3 -m venv target/peft && target/peft/bin/pip install torch transformers peft gguf
    cargo build -p radline-tests --bin logits
    target/peft/bin/python tests/peft/round_trip.py target/debug/logits
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import gguf
import numpy
import peft
import torch
import transformers

TOKENS = [3, 14, 15, 92, 65, 35, 8, 9]
MEASURES = dict(
    vocab_size=128, hidden_size=64, intermediate_size=96, num_hidden_layers=3,
    num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=512,
    tie_word_embeddings=True, initializer_range=0.3,
)
PARTS = {
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def turned(weight, heads):
    """The order of rows that GGUF files of llamas have (convert_hf_to_gguf.py of llama.cpp)."""
    rows, *rest = weight.shape
    return weight.reshape(heads, 2, rows // heads // 2, *rest).swapaxes(1, 2).reshape(weight.shape)


def write(model, architecture, file):
    config, state = model.config, model.state_dict()
    writer = gguf.GGUFWriter(str(file), architecture)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_embedding_length(config.hidden_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    rope = getattr(config, "rope_parameters", None) or {}
    writer.add_rope_freq_base(rope.get("rope_theta") or getattr(config, "rope_theta", 10000.0))

    def add(name, tensor, heads=None):
        values = tensor.float().numpy()
        if heads and architecture == "llama":
            values = turned(values, heads)
        writer.add_tensor(name, numpy.ascontiguousarray(values))

    add("token_embd.weight", state["model.embed_tokens.weight"])
    add("output_norm.weight", state["model.norm.weight"])
    for layer in range(config.num_hidden_layers):
        ours, theirs = f"blk.{layer}", f"model.layers.{layer}"
        add(f"{ours}.attn_norm.weight", state[f"{theirs}.input_layernorm.weight"])
        add(f"{ours}.ffn_norm.weight", state[f"{theirs}.post_attention_layernorm.weight"])
        for part, name in PARTS.items():
            heads = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}
            for kind in ("weight", "bias"):
                tensor = state.get(f"{theirs}.{part}.{kind}")
                if tensor is not None:
                    add(f"{ours}.{name}.{kind}", tensor, heads.get(name))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def logits(model):
    with torch.no_grad():
        return model(torch.tensor([TOKENS])).logits[0, -1].numpy()


def apart(one, other):
    return float(numpy.abs(numpy.array(one) - numpy.array(other)).max() / numpy.abs(other).max())


def check(architecture, config, program):
    torch.manual_seed(7)
    base = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        base.save_pretrained(folder / "base")
        write(base, architecture, folder / "model.gguf")
        plain = logits(base)
        lora = peft.LoraConfig(
            r=8, lora_alpha=16, target_modules=[part.rsplit(".")[-1] for part in PARTS],
            layers_to_transform=[1, 2], layers_pattern="layers", init_lora_weights=False,
            task_type="CAUSAL_LM",
        )
        theirs = peft.get_peft_model(base, lora).eval()
        expected = logits(theirs)
        theirs.save_pretrained(folder / "adapter")
        tokens = ",".join(map(str, TOKENS))
        command = [program, folder / "model.gguf", folder / "adapter", tokens, folder / "again"]
        ours = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        fresh = transformers.AutoModelForCausalLM.from_pretrained(folder / "base")
        again = peft.PeftModel.from_pretrained(fresh, folder / "again").eval()
        results = {
            "PEFT's adapter here": apart(ours, expected),
            "ours in PEFT": apart(logits(again), expected),
        }
        moved = apart(plain, expected)
        print(architecture, results, f"(the adapter moves the logits by {moved:.2f})")
        assert moved > 0.1, "the adapter does nothing"
        assert all(value < 1e-3 for value in results.values()), results


def main():
    [program] = sys.argv[1:]
    check("llama", transformers.LlamaConfig(**MEASURES), program)
    check("qwen2", transformers.Qwen2Config(**MEASURES), program)


main()
