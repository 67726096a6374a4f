/*
 * louvain.c
 *	  Method louvain: communities of a graph in two columns (after GraphHash).
 *
 * Rows are edges between an id on the left, x, and one on the right, y; equal
 * rows count as often as they come.  Ids that belong together get one bucket,
 * so that they may share a row of an embedding table.  Nodes are numbered by
 * rising id: the order of rows plays no part.
 *
 * Beyond maintenance_work_mem edges are only counted, so that the error can say
 * what all of them need.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "encoder/map/louvain.h"
#include "encoder/train/ids.h"
#include "encoder/train/rows.h"

#define FIRST_ROOM 4096
#define DEFAULT_RESOLUTION 1.0

/* Edges so far */
typedef struct Edges
{
	HxIds side[2];
	size_t rows; /* edges met */
	size_t room; /* edges that fit */
	uint32 (*row)[2];
	bool full; /* more are only counted */
} Edges;

static void
start_edges(HxTraining *training)
{
	HxRequireIds(training, 0);
	HxRequireIds(training, 1);
	training->taken = HxTrainAlloc(training, 1, sizeof(Edges), "edges");
}

/* Is there memory for half as many edges more, and for some ids? */
static bool
make_room(HxTraining *training, Edges *edges)
{
	size_t room = edges->room == 0 ? FIRST_ROOM : edges->room + edges->room / 2;
	double ids = HX_BYTES_OF_ID *
				 ((double) edges->side[0].room + (double) edges->side[1].room);

	if ((double) training->used + (double) room * sizeof(*edges->row) + ids >
		(double) training->limit)
		return false;
	edges->row = HxTrainGrow(training, edges->row, edges->room, room,
							 sizeof(*edges->row), "edges");
	edges->room = room;
	return true;
}

static void
take_edge(HxTraining *training, const Datum *values)
{
	Edges *edges = training->taken;

	training->seen++;
	if (edges->rows == HX_MAX_EDGES)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("graph has more than %d edges", HX_MAX_EDGES)));
	if (!edges->full && edges->rows == edges->room)
		edges->full = !make_room(training, edges);
	if (!edges->full)
	{
		for (int side = 0; side < 2; side++)
			edges->row[edges->rows][side] =
				HxNumberId(training, &edges->side[side],
						   HxReadId(training, side, values[side]));
	}
	edges->rows++;
}

/* Error unless the graph and what is computed from it fit */
static void
check_memory(const HxTraining *training, const Edges *edges)
{
	double nodes =
		(double) edges->side[0].count + (double) edges->side[1].count;
	double rows = (double) edges->rows * sizeof(*edges->row);
	double need = Max(rows * 1.5, 0) + nodes * HX_BYTES_OF_ID +
				  hx_louvain_bytes((double) edges->rows, nodes);

	if (!edges->full && need <= (double) training->limit)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OUT_OF_MEMORY),
			 errmsg("training on a graph of %zu edges needs %.0f kB, more than "
					"maintenance_work_mem",
					edges->rows, ceil(need / 1024)),
			 edges->full ? errdetail("Edges beyond its %zu kB were only "
									 "counted; further ids would add to it.",
									 training->limit / 1024)
						 : 0,
			 errhint("Raise maintenance_work_mem, or train on a part of the "
					 "graph.")));
}

/* Number the nodes by rising id. */
static void
order_nodes(HxTraining *training, Edges *edges)
{
	for (int side = 0; side < 2; side++)
	{
		HxIds *ids = &edges->side[side];
		uint32 *now = HxTrainAlloc(training, ids->count, sizeof(uint32), "ids");

		HxSortIds(training, ids, now);
		for (size_t i = 0; i < edges->rows; i++)
			edges->row[i][side] = now[edges->row[i][side]];
		pfree(now);
	}
}

/* Communities of all nodes; the loss is what modularity lacks to 1. */
static void
train_louvain(HxTraining *training, HxDraft *draft)
{
	Edges *edges = training->taken;
	double resolution = HxSpecNumber(&training->spec, "resolution",
									 DEFAULT_RESOLUTION, 0.0, 1e6);
	uint32 left = edges->side[0].count;
	uint32 right = edges->side[1].count;
	uint32 *bucket;
	uint32 count;
	HxGraph *graph;
	double gain;

	check_memory(training, edges);
	order_nodes(training, edges);
	graph = hx_make_graph(left, right, edges->rows,
						  (const uint32_t(*)[2]) edges->row);
	pfree(edges->row);
	bucket = palloc_extended(((size_t) left + right) * sizeof(uint32),
							 MCXT_ALLOC_HUGE);
	count = hx_louvain(graph, resolution, bucket, &gain);
	HxStartMap(training, draft, (int) count);
	draft->loss = 1.0 - gain;
	draft->tables = 2;
	HxDraftBuckets(&draft->table[0], &edges->side[0], bucket, count);
	HxDraftBuckets(&draft->table[1], &edges->side[1], bucket + left, count);
}

static const char *const louvain_keys[] = {"resolution", NULL};

static const HxIntake louvain_intake = {start_edges, take_edge};

const HxMethod HxMethodLouvain = {.id = HX_METHOD_LOUVAIN,
								  .keys = louvain_keys,
								  .needs_rows = true,
								  .intake = &louvain_intake,
								  .train = train_louvain};
