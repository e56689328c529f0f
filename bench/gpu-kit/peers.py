#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""PyTorch with transformers on the shapes of the kit: the same tests as EXE --bench, one JSON object a line.

    python3 peers.py --device cuda configs/llama-3.2-1b.json configs/llama-3.1-8b.json

Eager with a growing cache, and compiled (torch.compile) with a static one, each step replayed from a CUDA graph. The graph
is captured here: mode "reduce-overhead" leaves it out, because transformers' static cache counts its tokens in place.
Weights are random, bf16, never zeros; nothing is fetched. What does not fit into --seconds is left out by name.

To compile takes far longer than to measure, and mostly one core: the compiled tests of a model are prepared side by side, by
a process each. Then, with nothing else on the GPU, they are measured one after the other.
"""
import argparse
import contextlib
import ctypes
import json
import multiprocessing
import multiprocessing.connection
import os
import signal
import statistics
import sys
import time

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_OFFLINE", "1")

PARAMETER_BYTES = 2
OTHER_BYTES = 4 << 30  # of a process: its context, its cache (2 GB for 8 sequences of the 8B), activations


def emit(**row):
    print(json.dumps({"part": "peers", **row}), flush=True)


def message(error):
    return f"{type(error).__name__}: {error}"[:400]


def numbers(text):
    return [int(item) for item in text.split(",")]


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("configs", nargs="+")
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("-p", type=numbers, default=[512, 2048], help="prompt lengths")
    parser.add_argument("-n", type=numbers, default=[128], help="lengths generated")
    parser.add_argument("-b", type=numbers, default=[1, 8], help="sequences at once")
    parser.add_argument("-r", type=int, default=3, help="timed runs, after one or two to warm up")
    parser.add_argument("--eager-only", action="store_true")
    parser.add_argument("--seconds", type=float, default=450)
    return parser.parse_args()


class Test:
    """`count` steps of `length` tokens in each of `batch` sequences, one after the other."""

    def __init__(self, name, batch, length, count):
        self.row = {"test": name, "batch": batch}
        self.batch, self.length, self.count = batch, length, count
        self.tokens = batch * length * count


def tests(options):
    # Decoding first, where time or room is short: it is what CUDA graphs are for.
    decode = [Test(f"tg{count}", batch, 1, count) for count in options.n for batch in options.b]
    return decode + [Test(f"pp{length}", 1, length, 1) for length in options.p]


class Bench:
    """A model on the device, in a process of its own."""

    def __init__(self, options, path):
        import torch
        import transformers
        transformers.logging.set_verbosity_error()
        self.options, self.torch, self.transformers = options, torch, transformers
        with open(path) as file:
            config = transformers.LlamaConfig(**json.load(file))
        torch.manual_seed(1)
        torch.set_default_dtype(torch.bfloat16)
        with torch.device(options.device):
            model = transformers.LlamaForCausalLM(config)
        torch.set_default_dtype(torch.float32)
        self.model = model.eval().requires_grad_(False)

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

    def measure(self, tokens, work, warm_ups):
        begin = time.monotonic()
        for _ in range(warm_ups):
            work()
        self.synchronize()
        warm = time.monotonic() - begin
        samples = [self.seconds(work) for _ in range(max(1, self.options.r))]
        if self.options.device != "cuda":
            return {"runs": True}  # a time here would say nothing of a GPU
        rates = [tokens / sample for sample in samples]
        return {"avg_ts": statistics.mean(rates), "stddev_ts": statistics.stdev(rates) if len(rates) > 1 else 0.0,
                "warm_up_seconds": warm}

    def ids(self, test):
        shape = (test.batch, test.length)
        return self.torch.randint(0, self.model.config.vocab_size, shape, device=self.options.device)

    def forward(self, call, ids, cache, start=None):
        # Positions are given, so that the compiled code need not ask the cache.
        keywords = {"past_key_values": cache, "use_cache": True, "logits_to_keep": 1}
        if start is not None:
            keywords["position_ids"] = start
        return call(ids, **keywords).logits[:, -1].argmax(-1, keepdim=True)

    def eager(self, test):
        first = self.ids(test)

        def work():
            cache, token = self.transformers.DynamicCache(config=self.model.config), first
            for _ in range(test.count):
                token = self.forward(self.model, token, cache)

        return self.measure(test.tokens, work, 1 if test.count > 1 else 2)

    def captured(self, cache, ids, positions):
        """A CUDA graph of one compiled step over `ids` at `positions`; gives what replays it. Both are read anew each time."""
        torch = self.torch
        call = torch.compile(self.model.forward, fullgraph=True, dynamic=False)
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

    def compiled(self, test):
        """Compiles; gives what measures."""
        torch = self.torch
        longest = max(self.options.p + self.options.n)
        cache = self.transformers.StaticCache(config=self.model.config, max_cache_len=longest)
        first = self.ids(test)
        start = torch.arange(test.length, device=self.options.device)[None].expand(test.batch, -1)
        ids, positions = first.clone(), start.clone()
        graph, token = self.captured(cache, ids, positions)
        self.synchronize()

        def work():
            cache.reset()
            ids.copy_(first)
            positions.copy_(start)
            for _ in range(test.count):
                graph.replay()
                if test.count > 1:
                    ids.copy_(token)
                    positions.add_(1)

        return lambda _: self.measure(test.tokens, work, 2)


def child(pipe, options, path, peer, its_tests):
    """Says None when it is ready, waits to be told, then says what each test gave."""
    os.setpgid(0, 0)  # with what the compiler starts: one signal ends them all
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: not without its parent
    os.dup2(2, 1)  # the parent alone writes rows
    try:
        bench = Bench(options, path)
        with bench.torch.inference_mode():
            measure = bench.compiled(its_tests[0]) if peer == "compiled" else bench.eager
            pipe.send(None)
            pipe.recv()
            for test in its_tests:
                try:
                    pipe.send(measure(test))
                except Exception as error:  # one test that fails leaves the others alone
                    pipe.send({"error": message(error)})
    except Exception as error:
        for _ in its_tests:
            pipe.send({"error": message(error)})


class Job:
    """A process for some tests of a model, seen from the parent. Every test gets a row."""

    def __init__(self, options, path, peer, its_tests, row):
        self.tests, self.row, self.ready = list(its_tests), {"peer": peer, **row}, False
        spawn = multiprocessing.get_context("spawn")
        self.pipe, theirs = spawn.Pipe()
        self.process = spawn.Process(target=child, args=(theirs, options, path, peer, its_tests))
        self.process.start()
        theirs.close()

    def report(self, **result):
        emit(**self.row, **self.tests.pop(0).row, **result)

    def hear(self):
        try:
            said = self.pipe.recv()
        except (EOFError, OSError):
            self.process.join()
            while self.tests:
                self.report(error=f"its process ended with status {self.process.exitcode}")
            return
        if said is None:
            self.ready = True
        else:
            self.report(**said)

    def measure(self, end):
        with contextlib.suppress(OSError):  # of a process that died, hear() tells
            self.pipe.send("go")
        while self.tests and self.pipe.poll(max(0, end - time.monotonic())):
            self.hear()
        self.stop()

    def stop(self):
        """What has no row yet had no time."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.join()
        while self.tests:
            self.report(left_out="no time was left")


def run(options, path, peer, group, row, end):
    """Prepares the tests of a group side by side, by a process for each item; measures those that are ready one by one."""
    threads = max(1, len(os.sched_getaffinity(0)) // len(group))
    os.environ["TORCHINDUCTOR_COMPILE_THREADS"] = str(threads)
    jobs = []
    try:
        for its_tests in group:
            jobs.append(Job(options, path, peer, its_tests, row))
        waiting = {job.pipe: job for job in jobs}
        now = time.monotonic()
        spare = min(10 * len(jobs), (end - now) / 4)  # to measure what is ready
        while waiting and time.monotonic() < end - spare:
            for pipe in multiprocessing.connection.wait(waiting, max(0, end - spare - time.monotonic())):
                job = waiting[pipe]
                job.hear()
                if job.ready or not job.tests:
                    del waiting[pipe]
        for job in waiting.values():
            job.stop()
        for job in jobs:
            if job.ready:
                job.measure(end)
    finally:
        for job in jobs:
            job.stop()


def processes_at_once(options, path, torch, transformers):
    if options.device != "cuda":
        return 4
    with open(path) as file, torch.device("meta"):
        model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**json.load(file)))
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return max(1, torch.cuda.mem_get_info()[0] // (parameters * PARAMETER_BYTES + OTHER_BYTES))


def terminated(number, _):
    signal.signal(number, signal.SIG_IGN)  # `timeout` sends it twice: the second must not stop the tidying up
    sys.exit(128 + number)


def main():
    options = parse()
    end = time.monotonic() + options.seconds
    signal.signal(signal.SIGTERM, terminated)
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
    for path in options.configs:
        row = {"model": os.path.splitext(os.path.basename(path))[0], "dtype": "bf16", "torch": torch.__version__,
               "transformers": transformers.__version__, "device": options.device}
        try:
            at_once = processes_at_once(options, path, torch, transformers)
        except Exception as error:
            emit(**row, error=message(error))
            continue
        groups = [("eager", [tests(options)])]
        if not options.eager_only:
            alone = [[test] for test in tests(options)]
            groups += [("compiled", alone[i:i + at_once]) for i in range(0, len(alone), at_once)]
        for peer, group in groups:
            run(options, path, peer, group, row, end)
    return 0


if __name__ == "__main__":
    sys.exit(main())
