"""Pictures, augmentation, accuracy."""
import os
import numpy as np
import torch


class Pictures:
    """Training pictures, each time with a random crop (4 black pixels of padding) and a random flip."""

    def __init__(self, folder, seed):
        pictures = np.load(os.path.join(folder, "train_x.npy"))
        self.labels = torch.from_numpy(np.load(os.path.join(folder, "train_y.npy")))
        self.plain = pictures
        padded = np.pad(pictures, ((0, 0), (0, 0), (4, 4), (4, 4)))
        self.windows = np.lib.stride_tricks.sliding_window_view(padded, (32, 32), (2, 3))  # [i, :, y, x] is the crop of picture i at (y, x); a view
        self.rng = np.random.default_rng(seed)

    def batches(self, batch):
        """Batches without end, every picture once in an epoch."""
        while True:
            yield from self.epoch(batch)

    def epoch(self, batch):
        order = self.rng.permutation(len(self.labels))
        for first in range(0, len(order) - batch + 1, batch):
            chosen = order[first:first + batch]
            rows, columns = self.rng.integers(0, 9, (2, batch))
            pictures = self.windows[chosen, :, rows, columns]
            flipped = self.rng.random(batch) < 0.5
            pictures[flipped] = pictures[flipped][..., ::-1]
            yield torch.from_numpy(pictures).float().div_(255.0), self.labels[chosen]


def test_pictures(folder):
    pictures = torch.from_numpy(np.load(os.path.join(folder, "test_x.npy"))).float().div_(255.0)
    return pictures, torch.from_numpy(np.load(os.path.join(folder, "test_y.npy")))


@torch.no_grad()
def hits(model, pictures, labels):
    training = model.training
    model.eval()
    found = sum(int((model(x).argmax(1) == y).sum()) for x, y in zip(pictures.split(250), labels.split(250)))
    model.train(training)
    return found
