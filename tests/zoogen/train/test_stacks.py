"""Stacks hold every model once, in whole vectors."""

from collections import Counter
from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from zoogen import ZooSpec, zoo_spec
from zoogen.spec.configs import model_configs
from zoogen.train.loop import padded_stack, stacks


@given(size=st.integers(1, 30), models=st.integers(1, 192))
def test_stacks_mix_only_small_kinds_and_lose_no_model(mixed_spec: ZooSpec, size: int, models: int):
    configs = model_configs(mixed_spec)[:models]
    cut = stacks(configs, size)
    assert Counter(config for stack in cut for config in stack) == Counter(configs)
    for stack in cut:
        assert len(stack) <= size
        assert len({config.train_fraction for config in stack}) == 1
        kinds = Counter(config.kind for config in configs)
        assert (
            all(kinds[config.kind] < size / 2 for config in stack)
            or len({config.kind for config in stack}) == 1
        )
        runs = [activation for activation, _ in groupby(config.activation for config in stack)]
        assert len(runs) == len(set(runs))


@given(models=st.integers(1, 100))
def test_a_padded_stack_holds_its_models_in_whole_vectors(mixed_spec: ZooSpec, models: int):
    stack = list(model_configs(mixed_spec)[:models])
    (stack,) = stacks(stack, 100)
    full = padded_stack(stack, mixed_spec.network, {1, 3})
    assert set(full) == set(stack)
    for _, run in groupby(full, key=lambda config: config.activation):
        assert len(list(run)) % 32 == 0
    assert len(full) - models < 4 * 32


def test_a_stack_that_fills_vectors_is_padded_only_if_it_has_one_model(mixed_spec: ZooSpec):
    stack, network = list(model_configs(mixed_spec)[:3]), zoo_spec("mnist-seed").network
    assert padded_stack(stack, network, {16, 32}) == stack
    assert padded_stack(stack[:1], network, {16, 32}) == stack[:1] * 2
    assert len(padded_stack(stack, network, {16, 5})) == 8
