"""CIFAR-10 as arrays, from tar files of JPEG pictures named SPLIT/CLASS/NNNN.jpg (decoded by libturbojpeg).

    python3 prepare.py TRAIN.tar.gz TEST.tar.gz FOLDER

writes train_x.npy, test_x.npy (uint8 [n, 3, 32, 32], RGB) and train_y.npy, test_y.npy (int64 [n]), class by class in alphabetical order, by file name inside a class.
"""
import argparse
import ctypes
import os
import tarfile
import numpy as np

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SIDE, RGB = 32, 0


class Decoder:
    def __init__(self):
        self.library = ctypes.CDLL("libturbojpeg.so.0")
        self.library.tjInitDecompress.restype = ctypes.c_void_p
        self.library.tjDecompress2.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_void_p] + [ctypes.c_int] * 5
        self.handle = self.library.tjInitDecompress()

    def decode(self, data, name):
        pixels = np.empty((SIDE, SIDE, 3), np.uint8)
        if self.library.tjDecompress2(self.handle, data, len(data), pixels.ctypes.data, SIDE, 0, SIDE, RGB, 0) != 0:
            raise SystemExit(f"{name}: not a JPEG picture of at most {SIDE}x{SIDE} pixels")
        return pixels.transpose(2, 0, 1)


def load(path):
    decoder, found = Decoder(), {name: [] for name in CLASSES}
    with tarfile.open(path) as archive:
        for member in archive:
            parts = member.name.split("/")
            if member.isfile() and len(parts) > 1 and parts[-2] in found and member.name.endswith(".jpg"):
                found[parts[-2]].append((parts[-1], decoder.decode(archive.extractfile(member).read(), member.name)))
    missing = [name for name in CLASSES if not found[name]]
    if missing:
        raise SystemExit(f"{path}: no pictures of {', '.join(missing)}; expected files named SPLIT/CLASS/NNNN.jpg")
    pictures = [picture for name in CLASSES for _, picture in sorted(found[name], key=lambda item: item[0])]
    labels = [number for number, name in enumerate(CLASSES) for _ in found[name]]
    return np.stack(pictures), np.array(labels, np.int64)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train")
    parser.add_argument("test")
    parser.add_argument("folder")
    args = parser.parse_args()
    os.makedirs(args.folder, exist_ok=True)
    for name in ("train", "test"):
        pictures, labels = load(getattr(args, name))
        np.save(os.path.join(args.folder, name + "_x.npy"), pictures)
        np.save(os.path.join(args.folder, name + "_y.npy"), labels)
        print(name, pictures.shape, np.bincount(labels))


if __name__ == "__main__":
    main()
