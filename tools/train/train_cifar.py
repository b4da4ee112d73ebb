"""Trains a dense model and, on the same batches, sparse ones from the same start. See README.md for the commands.

The first student is always dense and learns from labels alone. Every further one (--sparse METHOD:PATTERN:ZEROS[:ALLOCATION]) learns from labels and, with --teach, from what the dense one
says of the same pictures at that moment. All have the same length, rates, batches and augmentation. The last epoch is the result; test pictures are only reported on.
A checkpoint is kept every five minutes; the same command goes on from it. --again takes the students of a finished run, masks and momentum too, and sets the schedule back to --from: warm
restart, both as much longer.
"""
import argparse
import json
import math
import os
import time
import torch
import torch.nn.functional as F
from cifar_nets import NETS, MbNet, Vit
from cifar_pictures import Pictures, hits, test_pictures
from cifar_start import load_cnn, load_vit, widen
from masks import Sparsity, sparsity_of


def starting_model(args, pictures):
    torch.manual_seed(args.seed)
    model = NETS[args.net]()
    if args.start and args.start.endswith(".pt"):
        kept = torch.load(args.start)
        if kept["net"] != args.net:
            raise SystemExit(f"{args.start} holds {kept['net']}, expected {args.net}")
        model.load_state_dict(kept["students"][0]["model"])
    elif args.start and isinstance(model, Vit):
        model = load_vit(args.start)
    elif args.start:
        sample = torch.from_numpy(pictures.plain[::25].copy()).float().div_(255.0)
        model = widen(load_cnn(args.start, sample), model)
    return model.to(memory_format=torch.channels_last)


class Student:
    def __init__(self, spec, args, pictures):
        self.model = starting_model(args, pictures)
        self.name, layers = spec.replace(":", "-"), self.model.prunable()
        torch.manual_seed(args.seed)
        self.sparsity = Sparsity({}) if spec == "dense" else sparsity_of(spec, layers)
        decayed = [p for p in self.model.parameters() if p.dim() > 1]
        plain = [p for p in self.model.parameters() if p.dim() <= 1]
        groups = [{"params": decayed, "weight_decay": args.decay}, {"params": plain, "weight_decay": 0.0}]
        if isinstance(self.model, MbNet):
            self.optimizer = torch.optim.SGD(groups, lr=args.rate, momentum=0.9, nesterov=True)
        else:
            self.optimizer = torch.optim.AdamW(groups, lr=args.rate, betas=(0.9, 0.98))
        self.sparsity.optimizer = self.optimizer
        self.loss, self.hits = 0.0, 0

    def step(self, pictures, labels, teacher, rate, progress, number, args):
        """One training step; returns the logits of this student."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.sparsity.before_forward(progress)
        logits = self.model(pictures)
        loss = F.cross_entropy(logits, labels, label_smoothing=args.smoothing)
        if teacher is not None:
            soft = F.kl_div(F.log_softmax(logits / args.temperature, 1), F.softmax(teacher / args.temperature, 1), reduction="batchmean") * args.temperature ** 2
            loss = (1 - args.teach) * loss + args.teach * soft
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.sparsity.after_backward(progress, number)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 5.0)
        self.optimizer.step()
        self.sparsity.after_step(progress, number)
        self.loss += float(loss)
        self.hits += int((logits.argmax(1) == labels).sum())
        return logits.detach()

    def state(self):
        return {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(), "masks": self.sparsity.masks}

    def restore(self, state):
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.sparsity.masks = state["masks"]


def rate_at(progress, args):
    """Linear warm-up, then cosine to zero."""
    if progress < args.warm:
        return args.rate * (progress + 1e-3) / args.warm
    return args.rate * 0.5 * (1 + math.cos(math.pi * min(1.0, (progress - args.warm) / (1 - args.warm))))


class Clock:
    """progress of the schedule, 0 to 1 in epochs * per_epoch steps. With a limit in minutes fewer steps are made where these would not fit: every LOOK steps the rest of the schedule is spread
    over the steps that will fit at the pace of late."""

    LOOK, LEAST = 25, 50

    def __init__(self, args, per_epoch):
        self.steps, self.minutes, self.per_epoch = round(args.epochs * per_epoch), args.minutes, per_epoch
        self.progress, self.number, self.began, self.pace = 0.0, 0, time.time(), None
        self.looked = self.began
        self.spread(self.steps)

    def spread(self, steps):
        self.increment = (1 - self.progress) / max(1, steps)

    def resume(self, number, progress):
        self.number, self.progress = number, progress
        self.spread(self.steps - number)

    @property
    def done(self):
        return self.progress > 1 - 1e-9

    def tick(self):
        self.number += 1
        self.progress = min(1.0, self.progress + self.increment)
        if self.minutes and self.number % self.LOOK == 0:
            now = time.time()
            pace, self.looked = (now - self.looked) / self.LOOK, now
            self.pace = pace if self.pace is None else 0.9 * self.pace + 0.1 * min(pace, 2 * self.pace)  # a pause is no pace
            fit = int((self.minutes * 60 - (now - self.began)) / self.pace)
            least = math.ceil(self.LEAST * (1 - self.progress))
            self.spread(max(least, min(fit, self.steps - self.number)))


def arguments(words):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--net", required=True, choices=sorted(NETS))
    parser.add_argument("--data", required=True, help="folder written by cifar_prepare.py")
    parser.add_argument("--out", required=True, help="folder for checkpoint, log and results")
    parser.add_argument("--epochs", type=float, required=True)
    parser.add_argument("--minutes", type=float, default=0, help="fewer epochs where these would not fit")
    parser.add_argument("--start", help="exported ONNX model of the same family, or checkpoint of the same --net, whose dense weights all students start from")
    parser.add_argument("--again", metavar="CHECKPOINT", help="finished run with the same --net and --sparse to go on from, instead of --start")
    parser.add_argument("--from", dest="progress", type=float, default=0.5, help="with --again: where in the schedule; after the last change of masks they stay")
    parser.add_argument("--sparse", action="append", default=[], metavar="METHOD:PATTERN:ZEROS[:ALLOCATION]")
    parser.add_argument("--teach", type=float, default=0.0, help="share of the loss that compares a sparse student with the dense one")
    parser.add_argument("--temperature", type=float, default=2.0)
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--decay", type=float, required=True)
    parser.add_argument("--warm", type=float, default=0.03)
    parser.add_argument("--smoothing", type=float, default=0.05)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--save", type=float, default=300, help="seconds between checkpoints; each looks at the test pictures, for the log")
    parser.add_argument("--steps", type=int, default=0, help="steps in an epoch, for trials; 0: all pictures")
    return parser.parse_args(words)


def main(words=None):
    args = arguments(words)
    os.makedirs(args.out, exist_ok=True)
    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    pictures = Pictures(args.data, args.seed)
    students = [Student(spec, args, pictures) for spec in ["dense"] + args.sparse]
    clock = Clock(args, args.steps or len(pictures.labels) // args.batch)
    log, path, tests = [], os.path.join(args.out, "checkpoint.pt"), test_pictures(args.data)
    resumed = os.path.exists(path)
    if resumed or args.again:
        kept = torch.load(path if resumed else args.again)
        if kept["net"] != args.net or kept["names"] != [student.name for student in students]:
            raise SystemExit(f"{path if resumed else args.again} holds {kept['net']} with {', '.join(kept['names'])}, expected {args.net} with {', '.join(s.name for s in students)}")
        for student, state in zip(students, kept["students"]):
            student.restore(state)
        clock.resume(*((kept["number"], kept["progress"]) if resumed else (0, args.progress)))
        pictures.rng.bit_generator.state, log = kept["rng"], kept["log"]
    saved, steps = time.time(), 0
    for images, labels in pictures.batches(args.batch):
        if clock.done:
            break
        images, rate, said = images.contiguous(memory_format=torch.channels_last), rate_at(clock.progress, args), None
        for student in students:
            logits = student.step(images, labels, said if args.teach else None, rate, clock.progress, clock.number, args)
            said = logits if said is None else said
        clock.tick()
        steps += 1
        if clock.number % 25 == 0:
            print(f"step {clock.number} epoch {clock.number / clock.per_epoch:.2f} progress {clock.progress:.3f} {time.time() - clock.began:.0f} s  "
                  + "  ".join(f"{s.name} loss {s.loss / steps:.3f} right {s.hits / steps / args.batch:.3f} zeros {s.sparsity.share():.3f}" for s in students), flush=True)
        if time.time() - saved < args.save and not clock.done:
            continue
        saved = time.time()
        if clock.done:
            for student in students:
                student.sparsity.finish()
        row = {"steps": clock.number, "epochs": clock.number / clock.per_epoch, "progress": clock.progress, "seconds": round(saved - clock.began)}
        for student in students:
            row[student.name] = {"test_hits": hits(student.model, *tests), "loss": student.loss / steps, "train_right": student.hits / steps / args.batch, "zeros": student.sparsity.share()}
            student.loss, student.hits = 0.0, 0
        steps = 0
        log.append(row)
        print(json.dumps(row), flush=True)
        torch.save({"students": [s.state() for s in students], "names": [s.name for s in students], "net": args.net, "args": vars(args),
                    "number": clock.number, "progress": clock.progress, "log": log, "rng": pictures.rng.bit_generator.state}, path + ".part")
        os.replace(path + ".part", path)
    with open(os.path.join(args.out, "log.json"), "w") as file:
        json.dump({"args": vars(args), "tests": len(tests[1]), "log": log}, file, indent=1)


if __name__ == "__main__":
    main()
