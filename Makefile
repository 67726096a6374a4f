# hashemb: similarity search with a WHERE clause over binary codes and sparse
# vectors. This file is the map: sources by layer, then tests, then targets.

EXTENSION = hashemb hashemb_pgvector
MODULE_big = hashemb
DATA = $(notdir $(wildcard $(srcdir)/hashemb*--*.sql))

# Sources, by layer and folder.  The order is a law (tools/lint.sh): no file uses
# what stands below it.
objects = $(addprefix src/$(1)/,$(addsuffix .o,$(2)))

KERNEL = $(call objects,kernel,rounding steps steps_avx2 dense tokens_avx2 dense_avx2 dense_avx512 \
	dense_vnni dense_neon scalar tables_avx2 avx2 avx512 neon kernel)
TYPE = $(call objects,type,bincode bincode_cast bincode_order bitops majority distance dense dense_value dense_pair binarize \
	tokens maxsim muvera \
	ball ball_order ball_support svec svec_io svec_op svec_cast \
	svec_agg svec_stats bound bound_dense bound_support simhash rrf \
	gray digest merkle fingerprint functional feedback)
ENCODER = \
	$(call objects,encoder/math,host product matrix eigen procrustes canonical) \
	$(call objects,encoder/map,slots quantize louvain paragraph) \
	$(call objects,encoder/model,format apply codebook segment model cache describe import input \
		decode lexicon words encode ids buckets) \
	$(call objects,encoder/train,value draft rows classes sums part query centre spectral levels \
		note linear rbin held cross_turns cross_canonical cross_plan cross pairs_start \
		pairs_step pairs books rq pq_refine pq corpus bpe unigram pieces ids louvain freq dedup \
		pvdbow methods spec aggregate) \
	$(call objects,encoder/measure,evaluate code_stats view_weights)
INDEX = \
	$(call objects,index/filter,attribute encode mask condition compile tidset) \
	$(call objects,index/page,inject rows fault shape describe buffer space meta chain lock learnt) \
	$(call objects,index/search,best checked looks mask phase visit rank first errors chances refine driver vector gather dead) \
	$(call objects,index/build,file work spool team sort sample) \
	$(call objects,index/check,reach heap) \
	$(call objects,index/blocks/store,format target train assign upper span directory) \
	$(call objects,index/blocks/recall,misses visited safety sample measure ring schedule) \
	$(call objects,index/blocks/search,stop visit search cost) \
	$(call objects,index/blocks/build,write group work build) \
	$(call objects,index/blocks/change,rewrite prune group place split merge \
		insert vacuum) \
	$(call objects,index/blocks/check,rows block upper check inspect) \
	$(call objects,index/code,levels mean payload) \
	$(call objects,index/dense,sketch model fit learn build payload load near grow kind) \
	$(call objects,index/sparse,page row write cluster lists bound score pending \
		visit search near rewrite merge insert vacuum work build check inspect cost kind) \
	$(call objects,index/multi,codebook page list query search grow insert vacuum build \
		check kind) \
	$(call objects,index/am,open option_row dims_option group_option build insert vacuum cost \
		scan validate inspect check handler)
PLAN = $(call objects,plan,match wanted compile bound_clause vector_key bitmap plan_data condition \
	bitmap_read heap_row output explain node rival path bound_path one_row \
	sum_data sum_rows sum_bound sum_stop sum_search sum_sweep sum_explain sum_node sum_match sum_path hook)
OBJS = $(KERNEL) src/settings.o $(TYPE) $(ENCODER) $(INDEX) $(PLAN) src/hashemb.o

# TEST_KIND=1 adds a kind of vectors that only a test uses (t/007_kind.pl)
TEST_OBJS = test/kind/chain.o
ifdef TEST_KIND
OBJS += $(TEST_OBJS)
endif

# Baseline instruction set only: faster kernels are chosen at run time. No
# fused multiply-add: every kernel level must give the same bits, and so must
# the bitcode for the JIT, which is compiled with PG_CPPFLAGS alone.
# These flags are added to those of the command line, never replaced by them.
override PG_CPPFLAGS += -I$(srcdir)/src -ffp-contract=off
override PG_CFLAGS += -std=gnu11 -fvisibility=hidden \
	'-DPGDLLEXPORT=__attribute__((visibility("default")))'
override SHLIB_LINK += -lm

# Objects depend on the headers that they were compiled with
override PG_CFLAGS += -MMD -MP
EXTRA_CLEAN += $(OBJS:.o=.d) $(TEST_OBJS) $(TEST_OBJS:.o=.d) $(TEST_OBJS:.o=.bc)

REGRESS = $(sort $(basename $(notdir $(wildcard $(srcdir)/sql/*.sql))))
REGRESS_OPTS = --inputdir=$(srcdir) --load-extension=hashemb
ISOLATION = $(sort $(basename $(notdir $(wildcard $(srcdir)/specs/*.spec))))
ISOLATION_OPTS = --inputdir=$(srcdir) --load-extension=hashemb
TAP_TESTS = 1

# Tests compare text, so the order of text must not depend on the server's
ENCODING = UTF8
NO_LOCALE = 1

# The folder of this file; another one than "." in a build outside of it:
# make -f /src/Makefile VPATH=/src
HERE := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))

# A server that can be built for has headers; pgxs.mk alone may be a client's
ifndef PG_CONFIG
PG_CONFIG := $(shell sh $(HERE)/tools/server.sh pg_config)
endif
PG_HEADERS := $(shell $(PG_CONFIG) --includedir-server 2>/dev/null)
PGXS := $(if $(wildcard $(PG_HEADERS)/postgres.h),$(wildcard \
	$(shell $(PG_CONFIG) --pgxs 2>/dev/null)))
ifneq ($(PGXS),)
include $(PGXS)
-include $(OBJS:.o=.d)

# Outside of the sources' folder, the objects' folders are missing; and only
# sources may be found there, not what an earlier build has left
ifneq ($(HERE),.)
srcdir := $(srcdir)
override VPATH :=
vpath %.c $(srcdir)
vpath %.control $(srcdir)
$(shell mkdir -p $(sort $(dir $(OBJS))))
endif
else
srcdir = $(HERE)
PG_MAJOR = $(firstword $(subst ., ,$(word 2,\
	$(shell $(PG_CONFIG) --version 2>/dev/null))))
all install installcheck:
	@echo "The server's headers are missing:" \
		"$(or $(PG_HEADERS),the folder that $(PG_CONFIG) names)/postgres.h" >&2
	@echo "On Debian or Ubuntu:" \
		"apt-get install postgresql-server-dev-$(or $(PG_MAJOR),all)" >&2
	@echo "Or name the pg_config of a server that has its headers:" \
		"make PG_CONFIG=..." >&2; exit 1
endif

# Targets that need nothing installed: they fetch what is missing and work in
# throwaway copies of checkout and server (tools/sandbox.sh).
.PHONY: test lint format demo bench coverage

test: # build and run everything; KINDS="regress tap" for some of it
	@$(HERE)/tools/sandbox.sh test tools/run-tests.sh $(KINDS)

lint: # what the compiler does not check; silent when all is well
	@$(HERE)/tools/sandbox.sh lint tools/lint.sh

format: # lay the sources out as .clang-format says
	$(HERE)/tools/clang-format.sh -i $(shell find src test -name '*.[ch]')

demo: # WordNet by similarity, in a server of its own
	@$(HERE)/tools/sandbox.sh --keep demo demo/run.sh

bench: # measure on this machine, with the data of FOLDER (bench/README.md)
	@$(HERE)/bench/run.sh $(FOLDER)

coverage: # lines and branches that the tests reach
	@$(HERE)/tools/sandbox.sh test tools/coverage.sh

.PHONY: fuzz
fuzz: # hostile input, SECONDS for each of three drivers
	@$(HERE)/tools/sandbox.sh fuzz tools/fuzz.sh $(SECONDS)

.PHONY: endure
endure: # half an hour of load, crashes at every point, a full disk
	@$(HERE)/tools/endure.sh $(SECONDS)

.PHONY: bench-report
bench-report: # docs/benchmarks.md and its plots, from kept runs
	@$(HERE)/tools/install-deps.sh plots
	@$(HERE)/bench/report.sh

.PHONY: dist
dist: # the archive of a release
	@$(HERE)/tools/dist.sh

# Other servers, made once by root and kept: minutes, gigabytes.
.PHONY: fresh compat upgrade assert valgrind
fresh: # README's commands on bare Debian systems
	@$(HERE)/tools/fresh.sh $(SCENARIOS)

compat: # make test on PostgreSQL 17 and 18
	@$(HERE)/tools/compat.sh $(VERSIONS)

upgrade: # pg_upgrade and logical replication from 15 to 17 and 18
	@KINDS=upgrade $(HERE)/tools/compat.sh $(VERSIONS)

assert: # the same on a server that checks itself
	@$(HERE)/tools/assert-check.sh

valgrind: # regress tests under valgrind: an hour
	@$(HERE)/tools/assert-check.sh --valgrind $(TESTS)

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
