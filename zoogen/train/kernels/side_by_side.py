"""Train and measure small fully connected models side by side."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32, Int64

from zoogen.progress import Report
from zoogen.spec.architectures import MLP
from zoogen.spec.configs import ModelConfig
from zoogen.spec.zoo_spec import ZooSpec
from zoogen.train.kernels import activation, optimiser
from zoogen.train.kernels.compiled import LaneKernels
from zoogen.train.kernels.lane_layers import MODELS
from zoogen.train.kernels.mask import limits, numbered
from zoogen.train.kernels.pace import Pace
from zoogen.train.kernels.rows import Rows
from zoogen.train.kernels.widths import zeros
from zoogen.train.tally import Tally


class SideBySide:
    """Models of one kind in training, one per lane; spare lanes repeat the last model."""

    def __init__(
        self,
        kernels: LaneKernels,
        spec: ZooSpec,
        network: MLP,
        configs: Sequence[ModelConfig],
        start: Float32[np.ndarray, "models params"],
    ) -> None:
        self.trained, self.measured = Pace(), Pace()
        self.kernels, self.spec, self.steps, self.models = kernels, spec, 0, len(configs)
        self.taken = np.minimum(np.arange(MODELS), self.models - 1)
        mine = [configs[place] for place in self.taken]
        params, units = start.shape[1], sum(network.widths)
        self.activation = activation.NAMES.index(configs[0].activation)
        self.shape = np.array(network.widths), network.bias, self.activation
        self.lanes = zeros(params, MODELS)
        self.lanes[:] = start[self.taken].T
        rates, decays = zeros(params, MODELS), zeros(params, MODELS)
        rates[:] = [config.learning_rate for config in mine]
        decays[:] = [config.weight_decay for config in mine]
        self.optimiser = (
            *(zeros(params, MODELS), zeros(params, MODELS), np.ones(2)),
            optimiser.NAMES.index(configs[0].optimiser),
            *(rates.ravel(), decays.ravel(), np.float32(spec.momentum)),
        )
        self.room = zeros(params, MODELS), *(zeros(units, MODELS) for _ in range(3))
        self.keys = np.array([config.seed for config in mine], np.uint64)
        bounds, kept = zip(*(limits(config.dropout) for config in mine), strict=True)
        dropping = any(config.dropout for config in mine)
        numbers = numbered(np.arange(max(network.widths)))
        self.dropout = numbers, np.array(bounds), np.array(kept), dropping

    def train(
        self, rows: Rows, orders: Int64[np.ndarray, "models images"], report: Report
    ) -> Int64[np.ndarray, " models"]:
        """Train for one epoch, each model on images in its own order; count correct images."""
        right, size = np.zeros(MODELS, np.int64), self.spec.batch_size
        for piece in self.trained.pieces(orders.shape[1], size):
            order = np.ascontiguousarray(orders[self.taken, piece].T)
            self.kernels.train(
                *(rows.images, rows.labels, order, size),
                *(*self.shape, self.lanes, *self.optimiser, *self.room),
                *(self.keys, self.steps, *self.dropout, right),
            )
            shown = piece.stop - piece.start
            self.steps += -(-shown // size)
            report(shown * self.models)
        return right[: self.models]

    def weights(self) -> Float32[np.ndarray, "models params"]:
        """Return a copy of the current weights."""
        return self.lanes.T[: self.models].copy()

    def measure(self, rows: Rows) -> Tally:
        """Classify images with every model."""
        classes = self.spec.network.classes
        claimed, hits = np.zeros((2, classes, MODELS), np.int64)
        loss = np.zeros(MODELS)
        for piece in self.measured.pieces(len(rows.labels), 1):
            self.kernels.measure(
                *(rows.images[piece], rows.labels[piece], *self.shape, self.lanes, self.room[1]),
                *(claimed, hits, loss),
            )
        return Tally(
            loss=loss[: self.models] / len(rows.labels),
            claimed=claimed.T[: self.models],
            hits=hits.T[: self.models],
            present=rows.present(classes),
        )
