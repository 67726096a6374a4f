/*
 * louvain.h
 *	  Communities of a bipartite graph (Blondel et al. 2008).
 *
 * Pure C over matrix.h's host.  What is raised is Barber's modularity,
 *
 *	   Q = sum over pairs (l, r) in one community of
 *	       w(l, r) / m - resolution * degree(l) degree(r) / m^2
 *
 * with m the sum of all weights.  Nodes of both sides are numbered together, the
 * left ones first.  Weights and degrees are whole numbers, so sums are exact, and
 * ties go to the lowest number: one graph has one result, whatever the order of
 * its edges.
 */
#ifndef HX_LOUVAIN_H
#define HX_LOUVAIN_H

#include <stddef.h>
#include <stdint.h>

/* Rows of a graph, and nodes of one, at most */
#define HX_MAX_EDGES INT32_MAX

/* A graph, or communities of one as nodes of another: both directions */
typedef struct HxGraph
{
	uint32_t nodes;
	uint64_t total;	  /* sum of all weights */
	size_t *start;	  /* nodes + 1: where a node's neighbours begin */
	uint32_t *to;	  /* neighbours */
	uint32_t *weight; /* of each, or NULL: all 1 */
	uint32_t *left;	  /* of each node: degrees of its nodes on the left */
	uint32_t *right;  /* likewise on the right */
} HxGraph;

/* Who belongs where */
typedef struct HxCommunities
{
	uint32_t *of;	 /* of each node: its community */
	uint64_t *left;	 /* of each community: sum of HxGraph.left */
	uint64_t *right; /* likewise */
} HxCommunities;

/*
 * A graph from rows (left, right), each from 0; a pair that comes twice counts
 * twice.  The rows may be freed afterwards.
 */
extern HxGraph *hx_make_graph(uint32_t left, uint32_t right, size_t rows,
							  const uint32_t (*row)[2]);
extern void hx_free_graph(HxGraph *graph);

/* Bytes that graph and communities of this many rows and nodes take at most */
extern double hx_louvain_bytes(double rows, double nodes);

/* Every node a community of its own */
extern HxCommunities *hx_start_communities(const HxGraph *graph);
extern void hx_free_communities(HxCommunities *communities);

/*
 * What joining a community would add to Q m^2, for a node that belongs to none
 * and has edges of `weight` into it
 */
extern double hx_joining_gain(const HxGraph *graph,
							  const HxCommunities *communities, uint32_t node,
							  uint64_t weight, uint32_t community,
							  double resolution);

/*
 * One pass over all nodes: each goes where Q gains most.  Returns what Q has
 * gained.
 */
extern double hx_move_nodes(const HxGraph *graph, HxCommunities *communities,
							double resolution);

/*
 * Communities of a graph, which is freed: `of` gets one for each node, numbered
 * from 0, the largest first, of equal ones that with the lowest node.  Returns
 * their number, and how much Q is above that of all nodes alone.
 */
extern uint32_t hx_louvain(HxGraph *graph, double resolution, uint32_t *of,
						   double *gain);

#endif /* HX_LOUVAIN_H */
