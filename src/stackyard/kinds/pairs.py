"""Which memory goes with which cpu, where AWS sells only certain pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stackyard.kinds.kind import Size


def wrong_pair(size: Size, pairs: Mapping[int, Sequence[int]], whose: str) -> str | None:
    """Say what is wrong with a pair, and what there is."""
    if size.cpu is None or size.cpu not in pairs:
        return f"cpu is {size.cpu}; {whose} has {', '.join(map(str, pairs))} (1024 is one vCPU)"
    memory = pairs[size.cpu]
    if size.memory not in memory:
        steps = memory[1] - memory[0] if len(memory) > 3 else 0
        shown = f"{memory[0]} to {memory[-1]} in steps of {steps}" if steps else ", ".join(map(str, memory))
        return f"memory is {size.memory} with cpu {size.cpu}; {whose} has {shown} MiB there"
    return None
