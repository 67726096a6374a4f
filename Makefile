# hashemb: similarity search with a WHERE clause over binary codes and sparse
# vectors. This file is the map: sources by layer, then tests, then targets.

EXTENSION = hashemb hashemb_pgvector
MODULE_big = hashemb
DATA = hashemb--0.1.0.sql hashemb_pgvector--0.1.0.sql

# Sources, by layer: each may include only what stands above it.
KERNEL = $(addprefix src/kernel/,kernel.o scalar.o avx2.o avx512.o neon.o \
	steps.o steps_avx2.o)
TYPE = $(addprefix src/type/,bincode.o bincode_order.o bitops.o majority.o \
	distance.o dense.o ball.o ball_support.o svec.o svec_io.o svec_op.o \
	svec_cast.o svec_agg.o svec_stats.o simhash.o)
ENCODER = $(addprefix src/encoder/,format.o apply.o model.o cache.o \
	describe.o import.o input.o encode.o decode.o spec.o training.o train_part.o \
	train_query.o train_spectral.o train_linear.o product.o matrix.o eigen.o \
	matrix_host.o rbin.o train_rows.o train_note.o train_rbin.o train_cross.o \
	train_pairs.o classes.o evaluate.o code_stats.o)
INDEX = $(addprefix src/index/,layout.o page.o lock.o attribute.o attribute_encode.o \
	filter.o filter_make.o range.o tidset.o code.o code_train.o assign.o \
	upper.o directory.o expect.o search.o visit.o stop.o limited.o kept.o \
	ranking.o sample.o replay.o calibrate.o ring.o recalibrate.o write.o \
	spool.o share.o team.o rewrite.o prune.o group.o group_build.o place.o split.o \
	merge.o build.o insert.o scan.o dead.o vacuum.o cost.o validate.o \
	handler.o inspect.o check.o check_upper.o check_heap.o inject.o sparse.o \
	sparse_page.o sparse_write.o sparse_cluster.o sparse_build.o \
	sparse_share.o sparse_insert.o sparse_rewrite.o sparse_merge.o \
	sparse_lists.o sparse_bound.o sparse_score.o sparse_lookup.o \
	sparse_search.o sparse_visit.o sparse_vacuum.o sparse_check.o \
	sparse_inspect.o)
PLAN = $(addprefix src/plan/,hook.o match.o wanted.o one_row.o compile.o vector_key.o \
	bitmap.o path.o plan_data.o node.o condition.o bitmap_read.o \
	heap_row.o explain.o)
OBJS = $(KERNEL) $(TYPE) $(ENCODER) $(INDEX) $(PLAN) src/hashemb.o

# Baseline instruction set only: faster kernels are chosen at run time. No
# fused multiply-add: every kernel level must give the same bits, and so must
# the bitcode for the JIT, which is compiled with PG_CPPFLAGS alone.
PG_CPPFLAGS = -I$(srcdir)/src -ffp-contract=off
PG_CFLAGS += -std=gnu11 -fvisibility=hidden \
	'-DPGDLLEXPORT=__attribute__((visibility("default")))'
SHLIB_LINK += -lm

# Objects depend on the headers that they were compiled with
PG_CFLAGS += -MMD -MP
EXTRA_CLEAN += $(OBJS:.o=.d)

REGRESS = $(sort $(basename $(notdir $(wildcard $(srcdir)/sql/*.sql))))
REGRESS_OPTS = --inputdir=$(srcdir) --load-extension=hashemb
ISOLATION = $(sort $(basename $(notdir $(wildcard $(srcdir)/specs/*.spec))))
ISOLATION_OPTS = --inputdir=$(srcdir) --load-extension=hashemb
TAP_TESTS = 1

# Tests compare text, so the order of text must not depend on the server's
ENCODING = UTF8
NO_LOCALE = 1

PG_CONFIG ?= pg_config
PGXS := $(wildcard $(shell $(PG_CONFIG) --pgxs 2>/dev/null))
ifneq ($(PGXS),)
include $(PGXS)
-include $(OBJS:.o=.d)
else
all install installcheck:
	@echo "The server's headers are missing: install postgresql-server-dev," \
		"or name its pg_config: make PG_CONFIG=..." >&2; exit 1
endif

# Targets that need nothing installed: they fetch what is missing and work in
# throwaway copies of checkout and server (tools/sandbox.sh).
.PHONY: test lint format demo bench coverage

test: # build and run everything; KINDS="regress tap" for some of it
	@tools/sandbox.sh test tools/run-tests.sh $(KINDS)

lint: # what the compiler does not check; silent when all is well
	@tools/sandbox.sh lint tools/lint.sh

format: # lay the sources out as .clang-format says
	clang-format -i $(shell find src test -name '*.[ch]')

demo: # WordNet by similarity, in a server of its own
	@tools/sandbox.sh --keep demo demo/run.sh

bench: # measure on this machine
	@tools/sandbox.sh test bench/run.sh

coverage: # lines and branches that the tests reach
	@tools/sandbox.sh test tools/coverage.sh

# Other servers, made once by root and kept: minutes, gigabytes.
.PHONY: compat assert valgrind
compat: # regress and isolation tests on PostgreSQL 17 and 18
	@tools/compat.sh $(VERSIONS)

assert: # the same on a server that checks itself
	@tools/assert-check.sh

valgrind: # regress tests under valgrind: an hour
	@tools/assert-check.sh --valgrind $(TESTS)

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
