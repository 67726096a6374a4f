# hashemb: similarity search with a WHERE clause over binary codes and sparse
# vectors. This file is the map: sources by layer, then tests, then targets.

EXTENSION = hashemb
MODULE_big = hashemb
DATA = hashemb--0.1.0.sql

# Sources, by layer: each may include only what stands above it.
KERNEL = $(addprefix src/kernel/,kernel.o scalar.o avx2.o avx512.o \
	neon.o)
TYPE =
ENCODER =
INDEX =
PLAN =
OBJS = $(KERNEL) $(TYPE) $(ENCODER) $(INDEX) $(PLAN) src/hashemb.o

# Baseline instruction set only: faster kernels are chosen at run time. No
# fused multiply-add: every kernel level must give the same bits, and so must
# the bitcode for the JIT, which is compiled with PG_CPPFLAGS alone.
PG_CPPFLAGS = -I$(srcdir)/src -ffp-contract=off
PG_CFLAGS += -std=gnu11 -fvisibility=hidden \
	'-DPGDLLEXPORT=__attribute__((visibility("default")))'
SHLIB_LINK += -lm

REGRESS = $(sort $(basename $(notdir $(wildcard $(srcdir)/sql/*.sql))))
REGRESS_OPTS = --inputdir=$(srcdir) --load-extension=hashemb
ISOLATION = $(sort $(basename $(notdir $(wildcard $(srcdir)/specs/*.spec))))
ISOLATION_OPTS = --inputdir=$(srcdir) --load-extension=hashemb
TAP_TESTS = 1

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# Unit tests and figures of the kernels: no server.
.PHONY: unitcheck kernelbench
unitcheck:
	CC='$(CC)' $(srcdir)/test/unit/run.sh $(SEED)

kernelbench:
	mkdir -p build/unit
	$(CC) -std=gnu11 -O2 -ffp-contract=off -I$(srcdir)/src \
		$(KERNEL:%.o=$(srcdir)/%.c) $(srcdir)/test/unit/kernel_bench.c \
		-o build/unit/kernel_bench
	build/unit/kernel_bench
