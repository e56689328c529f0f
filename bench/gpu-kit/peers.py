#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""PyTorch with transformers on the shapes of the kit: the same tests as EXE --bench, one JSON object a line.

    python3 peers.py --device cuda configs/llama-3.2-1b.json configs/llama-3.1-8b.json

Eager with a growing cache, and compiled (torch.compile) with a static one, each step replayed from a CUDA graph. The graph
is captured here: mode "reduce-overhead" leaves it out, because transformers' static cache counts its tokens in place.
Weights are random, bf16, never zeros; nothing is fetched. What does not fit into --seconds is left out by name.
"""
import argparse
import json
import os
import statistics
import sys
import time

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_OFFLINE", "1")


def emit(**row):
    print(json.dumps({"part": "peers", **row}), flush=True)


def numbers(text):
    return [int(item) for item in text.split(",")]


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("configs", nargs="+")
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("-p", type=numbers, default=[512, 2048], help="prompt lengths")
    parser.add_argument("-n", type=numbers, default=[128], help="lengths generated")
    parser.add_argument("-b", type=numbers, default=[1, 8], help="sequences at once")
    parser.add_argument("-r", type=int, default=5, help="timed runs, after two to warm up")
    parser.add_argument("--eager-only", action="store_true")
    parser.add_argument("--seconds", type=float, default=450)
    return parser.parse_args()


class Bench:
    def __init__(self, options, torch, transformers):
        self.options, self.torch, self.transformers = options, torch, transformers
        self.end = time.monotonic() + options.seconds

    def load(self, path):
        with open(path) as file:
            config = self.transformers.LlamaConfig(**json.load(file))
        torch = self.torch
        torch.manual_seed(1)
        torch.set_default_dtype(torch.bfloat16)
        with torch.device(self.options.device):
            model = self.transformers.LlamaForCausalLM(config)
        torch.set_default_dtype(torch.float32)
        return model.eval().requires_grad_(False)

    def synchronize(self):
        if self.options.device == "cuda":
            self.torch.cuda.synchronize()

    def seconds(self, work):
        """Of one run: by events on a GPU."""
        if self.options.device != "cuda":
            start = time.perf_counter()
            work()
            return time.perf_counter() - start
        start, end = (self.torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        work()
        end.record()
        end.synchronize()
        return start.elapsed_time(end) / 1000

    def measure(self, row, tokens, work):
        left = self.end - time.monotonic()
        if left < 0:
            emit(**row, left_out="no time was left")
            return
        begin = time.monotonic()
        try:
            work()
            work()
            self.synchronize()
            warm = time.monotonic() - begin
            samples = [self.seconds(work) for _ in range(max(1, self.options.r))]
        except Exception as error:  # one test that fails leaves the others alone
            emit(**row, error=f"{type(error).__name__}: {error}"[:400])
            return
        rates = [tokens / sample for sample in samples]
        if self.options.device == "cuda":
            row.update(avg_ts=statistics.mean(rates),
                       stddev_ts=statistics.stdev(rates) if len(rates) > 1 else 0.0, warm_up_seconds=warm)
        else:
            row["runs"] = True  # a time here would say nothing of a GPU
        emit(**row)

    def ids(self, model, batch, length):
        return self.torch.randint(0, model.config.vocab_size, (batch, length), device=self.options.device)

    def forward(self, call, ids, cache, start=None):
        # Positions are given, so that the compiled code need not ask the cache.
        keywords = {"past_key_values": cache, "use_cache": True, "logits_to_keep": 1}
        if start is not None:
            keywords["position_ids"] = start
        return call(ids, **keywords).logits[:, -1].argmax(-1, keepdim=True)

    def eager(self, model, row):
        cache = lambda: self.transformers.DynamicCache(config=model.config)
        for length in self.options.p:
            ids = self.ids(model, 1, length)
            self.measure({**row, "test": f"pp{length}", "batch": 1}, length,
                         lambda: self.forward(model, ids, cache()))
        for count in self.options.n:
            for batch in self.options.b:
                first = self.ids(model, batch, 1)

                def generate():
                    past, token = cache(), first
                    for _ in range(count):
                        token = self.forward(model, token, past)

                self.measure({**row, "test": f"tg{count}", "batch": batch}, count * batch, generate)

    def captured(self, model, cache, ids, positions):
        """A CUDA graph of one compiled step over `ids` at `positions`; gives what replays it. Both are read anew each time."""
        torch = self.torch
        call = torch.compile(model.forward, fullgraph=True, dynamic=False)
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                cache.reset()
                self.forward(call, ids, cache, positions)
        torch.cuda.current_stream().wait_stream(side)
        cache.reset()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            token = self.forward(call, ids, cache, positions)
        return graph, token

    def compiled(self, model, row):
        torch = self.torch
        longest = max(self.options.p + self.options.n)

        def measured(test, batch, length, count, tokens):
            """`count` steps of `length` tokens each, one after the other."""
            torch.compiler.reset()
            try:
                cache = self.transformers.StaticCache(config=model.config, max_cache_len=longest)
                first = self.ids(model, batch, length)
                start = torch.arange(length, device=self.options.device)[None].expand(batch, -1)
                ids, positions = first.clone(), start.clone()
                graph, token = self.captured(model, cache, ids, positions)
            except Exception as error:
                emit(**row, test=test, batch=batch, error=f"{type(error).__name__}: {error}"[:400])
                return

            def work():
                cache.reset()
                ids.copy_(first)
                positions.copy_(start)
                for _ in range(count):
                    graph.replay()
                    if count > 1:
                        ids.copy_(token)
                        positions.add_(1)

            self.measure({**row, "test": test, "batch": batch}, tokens, work)

        # Decoding first: it is what CUDA graphs are for, and the prefill compiles for long.
        for count in self.options.n:
            for batch in self.options.b:
                if self.end > time.monotonic():
                    measured(f"tg{count}", batch, 1, count, count * batch)
                else:
                    emit(**row, test=f"tg{count}", batch=batch, left_out="no time was left")
        for length in self.options.p:
            if self.end > time.monotonic():
                measured(f"pp{length}", 1, length, 1, length)
            else:
                emit(**row, test=f"pp{length}", batch=1, left_out="no time was left")


def main():
    options = parse()
    try:
        import torch
        import transformers
    except ImportError as error:
        emit(left_out=f"PyTorch with transformers is not installed here: {error}")
        return 0
    if options.device == "cuda" and not torch.cuda.is_available():
        emit(left_out="PyTorch finds no GPU")
        return 0
    transformers.logging.set_verbosity_error()
    bench = Bench(options, torch, transformers)
    with torch.inference_mode():
        for path in options.configs:
            row = {"model": os.path.splitext(os.path.basename(path))[0], "dtype": "bf16", "torch": torch.__version__,
                   "transformers": transformers.__version__, "device": options.device}
            try:
                model = bench.load(path)
                bench.eager(model, {"peer": "eager", **row})
                if not options.eager_only:
                    bench.compiled(model, {"peer": "compiled", **row})
            except Exception as error:
                emit(**row, error=f"{type(error).__name__}: {error}"[:400])
            model = None
            if options.device == "cuda":
                torch.compiler.reset()
                torch.cuda.empty_cache()
    return 0


if __name__ == "__main__":
    sys.exit(main())
