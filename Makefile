# hashemb: similarity search with a WHERE clause over binary codes and sparse
# vectors. This file is the map: sources by layer, then tests, then targets.

EXTENSION = hashemb hashemb_pgvector
MODULE_big = hashemb
DATA = hashemb--0.1.0.sql hashemb_pgvector--0.1.0.sql

# Sources, by layer: each may include only what stands above it.
KERNEL = $(addprefix src/kernel/,kernel.o scalar.o avx2.o)
TYPE = $(addprefix src/type/,bincode.o bincode_order.o bitops.o majority.o \
	distance.o dense.o ball.o ball_support.o svec.o svec_io.o svec_op.o \
	svec_cast.o svec_agg.o svec_stats.o simhash.o)
ENCODER =
INDEX = $(addprefix src/index/,page.o attribute.o attribute_encode.o \
	filter.o filter_make.o code.o code_train.o assign.o directory.o expect.o \
	search.o sample.o replay.o calibrate.o write.o build.o insert.o scan.o \
	vacuum.o cost.o validate.o handler.o inspect.o check.o)
PLAN =
OBJS = $(KERNEL) $(TYPE) $(ENCODER) $(INDEX) $(PLAN) src/hashemb.o

# Baseline instruction set only: faster kernels are chosen at run time. No
# fused multiply-add: every kernel level must give the same bits.
PG_CPPFLAGS = -I$(srcdir)/src
PG_CFLAGS += -std=gnu11 -ffp-contract=off -fvisibility=hidden \
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
