/*
 * louvain.c
 *	  Communities of a bipartite graph: nodes move, communities become nodes.
 */
#include "encoder/map/louvain.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "encoder/math/matrix.h"

/* A pass, or a level, that gains no more than this is the last one */
#define LEAST_GAIN 1e-4

/* Nodes between looks for an interrupt */
#define STRIDE 4096

/* Zeroed memory of the host */
static void *
alloc_zero(size_t count, size_t size)
{
	void *memory = hx_matrix_alloc(count + 1, size);

	memset(memory, 0, (count + 1) * size);
	return memory;
}

/*
 * Making a graph
 */

/* Sums of counts: from numbers of neighbours to where they begin */
static void
add_up(size_t *start, uint32_t nodes)
{
	size_t sum = 0;

	for (uint32_t v = 0; v <= nodes; v++)
	{
		size_t count = start[v];

		start[v] = sum;
		sum += count;
	}
}

/* Put the neighbours of nodes from `first` to `end` into the lists of theirs. */
static void
transpose(const HxGraph *graph, uint32_t first, uint32_t end, size_t *next)
{
	for (uint32_t v = first; v < end; v++)
	{
		if (v % STRIDE == 0)
			hx_matrix_interrupt();
		for (size_t i = graph->start[v]; i < graph->start[v + 1]; i++)
			graph->to[next[graph->to[i]]++] = v;
	}
}

/*
 * Neighbours in rising order: those of the right nodes as rows come, from them
 * the left nodes' lists, which come out in order, and so back.
 */
static void
fill_lists(HxGraph *graph, uint32_t left, size_t rows, const uint32_t (*row)[2])
{
	size_t bytes = ((size_t) graph->nodes + 1) * sizeof(size_t);
	size_t *next = hx_matrix_alloc(graph->nodes + 1, sizeof(size_t));

	memcpy(next, graph->start, bytes);
	for (size_t i = 0; i < rows; i++)
	{
		if (i % (16 * STRIDE) == 0)
			hx_matrix_interrupt();
		graph->to[next[left + row[i][1]]++] = row[i][0];
	}
	transpose(graph, left, graph->nodes, next);
	memcpy(next, graph->start, bytes);
	transpose(graph, 0, left, next);
	hx_matrix_free(next);
}

/* Neighbours that are there twice become one with the sum of weights. */
static void
merge_equal(HxGraph *graph)
{
	size_t entries = graph->start[graph->nodes];
	size_t filled = 0;
	bool doubled = false;

	for (uint32_t v = 0; v < graph->nodes && !doubled; v++)
		for (size_t i = graph->start[v] + 1; i < graph->start[v + 1]; i++)
			doubled |= graph->to[i] == graph->to[i - 1];
	if (!doubled)
		return;
	graph->weight = hx_matrix_alloc(entries, sizeof(uint32_t));
	for (uint32_t v = 0; v < graph->nodes; v++)
	{
		size_t from = graph->start[v];
		size_t first = filled;

		if (v % STRIDE == 0)
			hx_matrix_interrupt();
		graph->start[v] = filled;
		for (size_t i = from; i < graph->start[v + 1]; i++)
		{
			if (filled > first && graph->to[filled - 1] == graph->to[i])
				graph->weight[filled - 1]++;
			else
			{
				graph->to[filled] = graph->to[i];
				graph->weight[filled++] = 1;
			}
		}
	}
	graph->start[graph->nodes] = filled;
}

/* A graph of this many nodes without neighbours */
static HxGraph *
new_graph(uint32_t nodes)
{
	HxGraph *graph = alloc_zero(1, sizeof(HxGraph));

	graph->nodes = nodes;
	graph->start = alloc_zero((size_t) nodes + 1, sizeof(size_t));
	graph->left = alloc_zero(nodes, sizeof(uint32_t));
	graph->right = alloc_zero(nodes, sizeof(uint32_t));
	return graph;
}

HxGraph *
hx_make_graph(uint32_t left, uint32_t right, size_t rows,
			  const uint32_t (*row)[2])
{
	HxGraph *graph = new_graph(left + right);

	graph->total = rows;
	for (size_t i = 0; i < rows; i++)
	{
		if (i % (16 * STRIDE) == 0)
			hx_matrix_interrupt();
		graph->start[row[i][0]]++;
		graph->start[left + row[i][1]]++;
	}
	for (uint32_t v = 0; v < graph->nodes; v++)
	{
		if (v < left)
			graph->left[v] = (uint32_t) graph->start[v];
		else
			graph->right[v] = (uint32_t) graph->start[v];
	}
	add_up(graph->start, graph->nodes);
	graph->to = hx_matrix_alloc(2 * rows + 1, sizeof(uint32_t));
	fill_lists(graph, left, rows, row);
	merge_equal(graph);
	return graph;
}

void
hx_free_graph(HxGraph *graph)
{
	hx_matrix_free(graph->start);
	if (graph->to != NULL)
		hx_matrix_free(graph->to);
	if (graph->weight != NULL)
		hx_matrix_free(graph->weight);
	hx_matrix_free(graph->left);
	hx_matrix_free(graph->right);
	hx_matrix_free(graph);
}

/*
 * Neighbours of rows and of communities, the latter with weights; of each node
 * those of two graphs, of communities, and of the sums while it looks around
 */
double
hx_louvain_bytes(double rows, double nodes)
{
	return rows * (2 * 4 + 2 * 8) + nodes * (2 * 16 + 20 + 12 + 8);
}

/*
 * Moving nodes
 */

HxCommunities *
hx_start_communities(const HxGraph *graph)
{
	HxCommunities *communities = alloc_zero(1, sizeof(HxCommunities));

	communities->of = alloc_zero(graph->nodes, sizeof(uint32_t));
	communities->left = alloc_zero(graph->nodes, sizeof(uint64_t));
	communities->right = alloc_zero(graph->nodes, sizeof(uint64_t));
	for (uint32_t v = 0; v < graph->nodes; v++)
	{
		communities->of[v] = v;
		communities->left[v] = graph->left[v];
		communities->right[v] = graph->right[v];
	}
	return communities;
}

void
hx_free_communities(HxCommunities *communities)
{
	hx_matrix_free(communities->of);
	hx_matrix_free(communities->left);
	hx_matrix_free(communities->right);
	hx_matrix_free(communities);
}

double
hx_joining_gain(const HxGraph *graph, const HxCommunities *communities,
				uint32_t node, uint64_t weight, uint32_t community,
				double resolution)
{
	double expected =
		(double) graph->left[node] * (double) communities->right[community] +
		(double) graph->right[node] * (double) communities->left[community];

	return (double) weight * (double) graph->total - resolution * expected;
}

/* Weights of one node's edges into communities */
typedef struct Around
{
	uint64_t *weight; /* of each community, 0 elsewhere */
	uint32_t *found;  /* communities met */
	uint32_t count;
} Around;

static Around
start_around(uint32_t nodes)
{
	return (Around){alloc_zero(nodes, sizeof(uint64_t)),
					alloc_zero(nodes, sizeof(uint32_t)), 0};
}

static void
free_around(Around *around)
{
	hx_matrix_free(around->weight);
	hx_matrix_free(around->found);
}

/* Add the communities around a node, of which none has been met yet. */
static void
look_around(const HxGraph *graph, const uint32_t *of, uint32_t node,
			Around *around)
{
	for (size_t i = graph->start[node]; i < graph->start[node + 1]; i++)
	{
		uint32_t community = of[graph->to[i]];

		if (around->weight[community] == 0)
			around->found[around->count++] = community;
		around->weight[community] +=
			graph->weight == NULL ? 1 : graph->weight[i];
	}
}

/* Forget what has been met. */
static void
forget(Around *around)
{
	for (uint32_t i = 0; i < around->count; i++)
		around->weight[around->found[i]] = 0;
	around->count = 0;
}

/* Move a node to the best community around it; what Q m^2 gains. */
static double
move_node(const HxGraph *graph, HxCommunities *communities, uint32_t node,
		  double resolution, Around *around)
{
	uint32_t own = communities->of[node];
	uint32_t best = own;
	double staying;
	double most;

	look_around(graph, communities->of, node, around);
	communities->left[own] -= graph->left[node];
	communities->right[own] -= graph->right[node];
	staying = hx_joining_gain(graph, communities, node, around->weight[own],
							  own, resolution);
	most = staying;
	for (uint32_t i = 0; i < around->count; i++)
	{
		uint32_t community = around->found[i];
		double gain =
			hx_joining_gain(graph, communities, node, around->weight[community],
							community, resolution);

		if (gain > most || (gain == most && best != own && community < best))
		{
			most = gain;
			best = community;
		}
	}
	forget(around);
	communities->of[node] = best;
	communities->left[best] += graph->left[node];
	communities->right[best] += graph->right[node];
	return most - staying;
}

double
hx_move_nodes(const HxGraph *graph, HxCommunities *communities,
			  double resolution)
{
	Around around = start_around(graph->nodes);
	double total = (double) graph->total;
	double gain = 0.0;

	for (uint32_t v = 0; v < graph->nodes; v++)
	{
		if (v % STRIDE == 0)
			hx_matrix_interrupt();
		gain += move_node(graph, communities, v, resolution, &around);
	}
	free_around(&around);
	return gain / total / total;
}

/*
 * Communities become nodes
 */

/* Number communities by their first nodes; how many there are */
static uint32_t
number_communities(uint32_t *of, uint32_t nodes)
{
	uint32_t *number = alloc_zero(nodes, sizeof(uint32_t));
	uint32_t count = 0;

	for (uint32_t v = 0; v < nodes; v++)
	{
		if (number[of[v]] == 0)
			number[of[v]] = ++count;
		of[v] = number[of[v]] - 1;
	}
	hx_matrix_free(number);
	return count;
}

/* Nodes, community after community; `start` gets where each begins */
static uint32_t *
sort_nodes(const uint32_t *of, uint32_t nodes, uint32_t count, size_t *start)
{
	uint32_t *sorted = alloc_zero(nodes, sizeof(uint32_t));

	memset(start, 0, ((size_t) count + 1) * sizeof(size_t));
	for (uint32_t v = 0; v < nodes; v++)
		start[of[v]]++;
	add_up(start, count);
	for (uint32_t v = 0; v < nodes; v++)
		sorted[start[of[v]]++] = v;
	for (uint32_t c = count; c > 0; c--)
		start[c] = start[c - 1];
	start[0] = 0;
	return sorted;
}

/*
 * Neighbours of a community's nodes, without itself: counted, and stored if
 * there is room for them
 */
static size_t
join_neighbours(const HxGraph *graph, const uint32_t *of, const uint32_t *node,
				size_t count, uint32_t community, Around *around, HxGraph *to)
{
	size_t at = to->to == NULL ? 0 : to->start[community];
	size_t found = 0;

	for (size_t i = 0; i < count; i++)
		look_around(graph, of, node[i], around);
	for (uint32_t i = 0; i < around->count; i++)
	{
		uint32_t other = around->found[i];

		if (other == community)
			continue;
		if (to->to != NULL)
		{
			to->to[at + found] = other;
			to->weight[at + found] = (uint32_t) around->weight[other];
		}
		found++;
	}
	forget(around);
	return found;
}

/* The graph whose nodes are `count` communities; the old one stays. */
static HxGraph *
join_nodes(const HxGraph *graph, const uint32_t *of, uint32_t count)
{
	HxGraph *joined = new_graph(count);
	size_t *start = alloc_zero((size_t) count + 1, sizeof(size_t));
	uint32_t *sorted = sort_nodes(of, graph->nodes, count, start);
	Around around = start_around(count);

	joined->total = graph->total;
	for (uint32_t v = 0; v < graph->nodes; v++)
	{
		joined->left[of[v]] += graph->left[v];
		joined->right[of[v]] += graph->right[v];
	}
	for (int round = 0; round < 2; round++)
	{
		for (uint32_t c = 0; c < count; c++)
		{
			size_t found;

			if (c % STRIDE == 0)
				hx_matrix_interrupt();
			found =
				join_neighbours(graph, of, sorted + start[c],
								start[c + 1] - start[c], c, &around, joined);
			if (round == 0)
				joined->start[c] = found;
		}
		if (round > 0)
			break;
		add_up(joined->start, count);
		joined->to = alloc_zero(joined->start[count], sizeof(uint32_t));
		joined->weight = alloc_zero(joined->start[count], sizeof(uint32_t));
	}
	free_around(&around);
	hx_matrix_free(sorted);
	hx_matrix_free(start);
	return joined;
}

/* A community, to be sorted */
typedef struct Extent
{
	uint32_t community;
	uint32_t nodes;
} Extent;

/* The larger first; numbered by their first nodes, the lower of equal ones */
static int
compare_sizes(const void *a, const void *b)
{
	const Extent *x = a;
	const Extent *y = b;

	if (x->nodes != y->nodes)
		return x->nodes > y->nodes ? -1 : 1;
	return (x->community > y->community) - (x->community < y->community);
}

/* Number communities by their sizes. */
static void
order_by_size(uint32_t *of, uint32_t nodes, uint32_t count)
{
	Extent *size = alloc_zero(count, sizeof(Extent));
	uint32_t *number = alloc_zero(count, sizeof(uint32_t));

	for (uint32_t c = 0; c < count; c++)
		size[c].community = c;
	for (uint32_t v = 0; v < nodes; v++)
		size[of[v]].nodes++;
	qsort(size, count, sizeof(Extent), compare_sizes);
	for (uint32_t c = 0; c < count; c++)
		number[size[c].community] = c;
	for (uint32_t v = 0; v < nodes; v++)
		of[v] = number[of[v]];
	hx_matrix_free(size);
	hx_matrix_free(number);
}

uint32_t
hx_louvain(HxGraph *graph, double resolution, uint32_t *of, double *gain)
{
	uint32_t nodes = graph->nodes;
	uint32_t count = nodes;
	double level;

	*gain = 0.0;
	for (uint32_t v = 0; v < nodes; v++)
		of[v] = v;
	do
	{
		HxCommunities *communities = hx_start_communities(graph);
		HxGraph *joined = NULL;
		double pass;

		level = 0.0;
		do
		{
			pass = hx_move_nodes(graph, communities, resolution);
			level += pass;
		} while (pass > LEAST_GAIN);
		*gain += level;
		count = number_communities(communities->of, graph->nodes);
		for (uint32_t v = 0; v < nodes; v++)
			of[v] = communities->of[of[v]];
		if (level > LEAST_GAIN)
			joined = join_nodes(graph, communities->of, count);
		hx_free_communities(communities);
		hx_free_graph(graph);
		graph = joined;
	} while (graph != NULL);
	order_by_size(of, nodes, count);
	return count;
}
