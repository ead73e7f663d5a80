"""Train and measure one model of any network with the kernels of its layers."""

import numpy as np
from jaxtyping import Float32, Int64

from zoogen.progress import Report
from zoogen.spec.configs import ModelConfig
from zoogen.spec.zoo_spec import ZooSpec
from zoogen.train.kernels import activation, optimiser
from zoogen.train.kernels.compiled import ChainKernels
from zoogen.train.kernels.mask import limits, numbered
from zoogen.train.kernels.pace import Pace
from zoogen.train.kernels.rows import Rows
from zoogen.train.kernels.widths import LANES, zeros
from zoogen.train.tally import Tally


class OneModel:
    """A model in training, and the arrays of its training."""

    def __init__(
        self,
        kernels: ChainKernels,
        spec: ZooSpec,
        config: ModelConfig,
        start: Float32[np.ndarray, " params"],
    ) -> None:
        plan, params = kernels.plan, kernels.plan.params
        self.trained, self.measured = Pace(), Pace()
        self.kernels, self.spec, self.steps = kernels, spec, 0
        self.layers = tuple(map(kernels.addresses, ("forward", "gradient", "back")))
        self.evaluates = kernels.addresses("evaluate")
        self.activation = activation.NAMES.index(config.activation)
        self.flat, rates, decays = zeros(params + 1), zeros(params), zeros(params)
        self.flat[:params], rates[:], decays[:] = start, config.learning_rate, config.weight_decay
        self.optimiser = (
            *(zeros(params), zeros(params), np.ones(2), optimiser.NAMES.index(config.optimiser)),
            *(rates, decays, np.float32(spec.momentum)),
        )
        maps = (zeros(plan.maps) for _ in range(3))
        self.room = (
            *(zeros(plan.shown + plan.slack), *maps, plan.windows.copy()),
            *(zeros(len(plan.pack)), zeros(plan.sums), zeros(params), zeros(plan.scratch)),
        )
        self.numbers = numbered(plan.pairs)
        self.key, self.limits = np.uint64(config.seed), limits(config.dropout)

    def train(
        self, rows: Rows, orders: Int64[np.ndarray, "1 images"], report: Report
    ) -> Int64[np.ndarray, " 1"]:
        """Train for one epoch; count correct images."""
        kernels, plan, size, right = self.kernels, self.kernels.plan, self.spec.batch_size, 0
        (order,) = orders
        for piece in self.trained.pieces(len(order), size):
            right += kernels.train(
                *(*self.layers, plan.stages, plan.pack, plan.unpack, self.numbers),
                *(rows.images, plan.lines, rows.labels, order[piece], size),
                *(self.spec.network.classes, self.activation, self.flat, *self.optimiser),
                *(*self.room, self.key, self.steps, *self.limits),
            )
            shown = piece.stop - piece.start
            self.steps += -(-shown // size)
            report(shown)
        return np.array([right])

    def weights(self) -> Float32[np.ndarray, "1 params"]:
        """Return a copy of the current weights."""
        return self.flat[None, :-1].copy()

    def measure(self, rows: Rows) -> Tally:
        """Classify images."""
        kernels, plan, classes = self.kernels, self.kernels.plan, self.spec.network.classes
        claimed, hits, loss = np.zeros(classes, np.int64), np.zeros(classes, np.int64), 0.0
        shown = zeros(LANES * plan.pixels)
        maps = zeros(int(plan.evaluated[-1, :2].sum()))
        for piece in self.measured.pieces(len(rows.labels), LANES):
            loss += kernels.measure(
                *(self.evaluates, plan.evaluated, rows.images[piece], rows.labels[piece]),
                *(self.activation, self.flat, classes, shown, maps, claimed, hits),
            )
        return Tally(
            loss=np.array([loss / len(rows.labels)]),
            claimed=claimed[None],
            hits=hits[None],
            present=rows.present(classes),
        )
