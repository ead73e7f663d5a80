"""The peer of the self-supervised benchmark: the paper's method, implemented step by step.

It permutes and erases one sample at a time, embeds and decodes one token at a time, writes
attention out, and every block transforms every token.
"""

import math
import random
from itertools import permutations

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

TOKENS = [(row * 16, 16, 0) for row in range(5)] + [(80 + row * 5, 5, 1) for row in range(4)]
"""Start, length and layer of the nine neurons of the Tetris network."""
PARAMS, DIM, WIDTH, HEADS, HIDDEN, BLOCKS, DROPOUT = 100, 50, 256, 4, 512, 2, 0.1
TEMPERATURE, BETA, BATCH = 0.1, 0.5, 500
ERASE, ERASED = 0.5, (0.03, 0.3)


def permutation_indices() -> list[Tensor]:
    """Return the permutation index for each order of the five hidden units."""
    indices = []
    for order in permutations(range(5)):
        first = [unit * 16 + place for unit in order for place in range(16)]
        second = [80 + row * 5 + unit for row in range(4) for unit in order]
        indices.append(torch.tensor(first + second))
    return indices


class Views(Dataset[tuple[Tensor, Tensor]]):
    """Two views of each weight vector, made on access."""

    def __init__(self, vectors: Tensor) -> None:
        self.vectors, self.indices = vectors, permutation_indices()

    def __len__(self) -> int:
        return len(self.vectors)

    def __getitem__(self, item: int) -> tuple[Tensor, Tensor]:
        vector = self.vectors[item]
        return self.view(vector), self.view(vector)

    def view(self, vector: Tensor) -> Tensor:
        """Permute a vector and, half of the time, erase a run of weights."""
        changed = vector[random.choice(self.indices)].clone()
        if random.random() < ERASE:
            for _ in range(10):
                length = int(PARAMS * random.uniform(*ERASED))
                start = random.randrange(PARAMS)
                if start + length < PARAMS:
                    changed[start : start + length] = 0
                    break
        return changed


class Norm(nn.Module):
    """Layer normalisation, written out."""

    def __init__(self) -> None:
        super().__init__()
        self.gain, self.bias = nn.Parameter(torch.ones(WIDTH)), nn.Parameter(torch.zeros(WIDTH))

    def forward(self, tokens: Tensor) -> Tensor:
        """Subtract the mean and divide by the standard deviation of each token."""
        centred = tokens - tokens.mean(dim=-1, keepdim=True)
        normal: Tensor = self.gain * centred / (tokens.std(dim=-1, keepdim=True) + 1e-6) + self.bias
        return normal


class Attention(nn.Module):
    """Multi-head attention, written out."""

    def __init__(self) -> None:
        super().__init__()
        self.queries, self.keys, self.values, self.out = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.drop = nn.Dropout(DROPOUT)

    def forward(self, tokens: Tensor) -> Tensor:
        """Let each token attend to all tokens."""
        batch = len(tokens)
        q, k, v = (
            linear(tokens).view(batch, -1, HEADS, WIDTH // HEADS).transpose(1, 2)
            for linear in (self.queries, self.keys, self.values)
        )
        scores = torch.matmul(q, k.transpose(-2, -1)) / math.sqrt(WIDTH // HEADS)
        looked = torch.matmul(self.drop(torch.softmax(scores, dim=-1)), v)
        gathered: Tensor = self.out(looked.transpose(1, 2).contiguous().view(batch, -1, WIDTH))
        return gathered


class Block(nn.Module):
    """Attention and two linear layers, each after a normalisation."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.attention = Norm(), Norm(), Attention()
        self.linear = nn.Sequential(
            nn.Linear(WIDTH, HIDDEN), nn.ReLU(), nn.Dropout(DROPOUT), nn.Linear(HIDDEN, WIDTH)
        )
        self.drop = nn.Dropout(DROPOUT)

    def forward(self, tokens: Tensor) -> Tensor:
        """Transform every token."""
        tokens = tokens + self.drop(self.attention(self.first(tokens)))
        changed: Tensor = tokens + self.drop(self.linear(self.second(tokens)))
        return changed


class DirectAutoencoder(nn.Module):
    """Encoder, decoder and projection head of the Tetris zoos."""

    def __init__(self) -> None:
        super().__init__()
        self.embed_layers = nn.ModuleList([nn.Linear(16, WIDTH), nn.Linear(5, WIDTH)])
        self.compression = nn.Parameter(torch.randn(WIDTH))
        self.position = nn.Embedding(len(TOKENS) + 1, WIDTH)
        self.encoder = nn.ModuleList(Block() for _ in range(BLOCKS))
        self.bottleneck = nn.Linear(WIDTH, DIM)
        self.spread = nn.Linear(DIM, len(TOKENS) * WIDTH)
        self.decoder_position = nn.Embedding(len(TOKENS), WIDTH)
        self.decoder = nn.ModuleList(Block() for _ in range(BLOCKS))
        self.unembed_layers = nn.ModuleList([nn.Linear(WIDTH, 16), nn.Linear(WIDTH, 5)])
        self.projection = nn.Sequential(
            *(
                module
                for _ in range(3)
                for module in (nn.Linear(50, 50), nn.BatchNorm1d(50), nn.ReLU())
            ),
            nn.Linear(50, 20),
            nn.BatchNorm1d(20),
        )

    def encode(self, vectors: Tensor) -> Tensor:
        """Embed one token after another, then attend."""
        tokens = [self.compression.repeat(len(vectors), 1)]
        for start, length, layer in TOKENS:
            tokens.append(self.embed_layers[layer](vectors[:, start : start + length]))
        hidden = torch.stack(tokens, dim=1)
        hidden = hidden + self.position(torch.arange(len(TOKENS) + 1))
        for block in self.encoder:
            hidden = block(hidden)
        return torch.tanh(self.bottleneck(hidden[:, 0]))

    def decode(self, embeddings: Tensor) -> Tensor:
        """Attend, then decode one token after another."""
        hidden = self.spread(embeddings).view(len(embeddings), len(TOKENS), WIDTH)
        hidden = hidden + self.decoder_position(torch.arange(len(TOKENS)))
        for block in self.decoder:
            hidden = block(hidden)
        vectors = torch.zeros(len(embeddings), PARAMS)
        for number, (start, length, layer) in enumerate(TOKENS):
            vectors[:, start : start + length] = self.unembed_layers[layer](hidden[:, number])
        return vectors


def nt_xent(first: Tensor, second: Tensor) -> Tensor:
    """Return the contrastive loss over all pairs of views."""
    both = torch.cat([first, second])
    similarity = nn.functional.cosine_similarity(both[:, None], both[None], dim=2) / TEMPERATURE
    count = len(first)
    positives = torch.cat([similarity.diag(count), similarity.diag(-count)])[:, None]
    others = ~torch.eye(2 * count, dtype=torch.bool)
    for view in range(2 * count):
        others[view, (view + count) % (2 * count)] = False
    logits = torch.cat([positives, similarity[others].view(2 * count, -1)], dim=1)
    return nn.functional.cross_entropy(logits, torch.zeros(2 * count, dtype=torch.long))


class DirectTraining:
    """Training, one step at a time."""

    def __init__(self, vectors: Tensor) -> None:
        self.network = DirectAutoencoder()
        self.optimiser = torch.optim.Adam(self.network.parameters(), lr=1e-4, weight_decay=1e-9)
        self.batches = iter(
            DataLoader(Views(vectors), batch_size=BATCH, shuffle=True, drop_last=True)
        )

    def step(self) -> None:
        """Draw a batch of views and take a step."""
        first, second = next(self.batches)
        embedded = [self.network.encode(view) for view in (first, second)]
        decoded = torch.cat([self.network.decode(each) for each in embedded])
        error = nn.functional.mse_loss(decoded, torch.cat([first, second]))
        contrast = nt_xent(*(self.network.projection(each) for each in embedded))
        loss = BETA * error + (1 - BETA) * contrast
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
