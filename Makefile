# EdgeSparse. `make help` lists the targets.
#
# ISA            instruction set of the published programs: native (this processor, default), x86-64-v3 (AVX2), x86-64-v4 (AVX-512)
# CONFIGURATION  Release or Debug, for the test projects

SHELL         := /bin/bash
ISA           ?= native
CONFIGURATION ?= Release
OUT           := $(CURDIR)/out
BIN           := $(OUT)/bin

export DOTNET_CLI_TELEMETRY_OPTOUT = 1
export DOTNET_NOLOGO = 1

.PHONY: help deps deps-onnxruntime build models run test test-managed arm64-check arm64-models arm64-report bench bench-daemon deb appliance-test iot fmt clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

deps: ## check for what Debian must supply; installs it with apt when root, else prints the command
	@tools/build/deps.sh

deps-onnxruntime: ## fetch the ONNX Runtime library (CPU) into out/onnxruntime
	@tools/build/onnxruntime.sh $(OUT)/onnxruntime

build: deps ## publish out/bin/edgesparse and out/bin/edgesparsed, ahead-of-time compiled for ISA, and the shipped models
	@tools/build/publish.sh $(BIN) $(ISA)
	@$(MAKE) --no-print-directory models

models: ## compile models/*/model.onnx into out/bin/models/*.esm
	@tools/build/models.sh $(BIN)

run: build ## main job: stream the synthetic camera through the shipped detector; live page and MQTT on loopback
	@mkdir -p $(OUT)/run
	@exec $(BIN)/edgesparsed --mqtt:socket=$(OUT)/run/mqtt.sock $(ARGS)

test: build ## every test: rooms, conformance, NEON under qemu, the published programs from outside
	@tools/build/onnxruntime.sh $(OUT)/onnxruntime || { echo "test: tests that need ONNX Runtime are skipped" >&2; [ "$$CI" != true ]; }
	@tools/test/run.sh $(CONFIGURATION)

arm64-check: deps ## compile the NEON kernels from this C#; run them and small models under qemu, look for spills
	@tools/arm64/check.sh $(OUT)/arm64

arm64-models: deps ## run whole models under qemu for arm64: outputs against x64's, instructions per inference
	@tools/arm64/models.sh $(OUT)/arm64

arm64-report: deps ## count instructions and static cycles of the NEON kernels; writes the tables of docs/ARM64.md
	@tools/arm64/report.sh $(OUT)/arm64

bench: build deps-onnxruntime ## print the benchmark tables, ONNX Runtime alternating; SECONDS_EACH=8 a model, RESULTS=tools/bench/results keeps them
	@tools/bench/run.sh $(BIN) $(OUT)/bench $(RESULTS)

deb: deps ## build the Debian package of this machine's architecture, and of arm64 where the registry has what cross-compiling takes, into out/packages
	@tools/build/deps.sh packaging
	@tools/packaging/deb.sh $$(dpkg --print-architecture) $(OUT)/packages
	@[ $$(dpkg --print-architecture) = arm64 ] || tools/packaging/deb.sh arm64 $(OUT)/packages || [ $$? -eq 3 ]
	@tools/packaging/check.sh $(OUT)/packages

appliance-test: deb ## install the package on a virtual board (qemu) with a camera and a broker, and put it through a life; about 10 minutes, as root
	@tools/build/deps.sh appliance
	@tools/appliance/run.sh $(OUT)/packages $(OUT)/appliance

bench-daemon: build ## measure the published daemon from outside: memory, start, added time, sizes, broker; SECONDS_EACH=10
	@python3 tools/bench/daemon.py $(BIN) $(OUT)/bench

iot: ## build and test the adapter for System.Device.Gpio, where the registry has that package
	@dotnet test tests/EdgeSparse.Iot.Tests -c $(CONFIGURATION) -p:IotBindings=true --nologo -v quiet

fmt: ## format the C# sources
	dotnet format EdgeSparse.sln

clean: ## remove everything built
	rm -rf $(OUT) artifacts
