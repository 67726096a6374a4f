/*
 * segment.h
 *	  A sequence of ids cut into the pieces of a model of method pieces.
 *
 * Pure C.  The map's tables: symbols by key (hx_symbol_key), 1 and up; then, of
 * merges, the piece by the two that it is made of, left * 2^32 + right, rising in
 * the order of merging; of unigrams a trie, by node * 2^32 + symbol: the next
 * node, the piece that ends there or 0, and the logarithm of its probability.
 * The root is node 0.  Piece 0 is what no piece stands for.
 */
#ifndef HX_SEGMENT_H
#define HX_SEGMENT_H

#include "encoder/model/format.h"

/* Longest sequence, and longest piece */
#define HX_MAX_SEQUENCE 10000
#define HX_MAX_PIECE 64

/* The map's constants, in this order */
#define HX_PIECES_KIND 0	/* HxPiecesKind */
#define HX_PIECES_PLACES 1	/* is an id another one at another place? */
#define HX_PIECES_LONGEST 2 /* ids of the longest piece */
#define HX_PIECES_CONSTANTS 3

/* How pieces are found */
typedef enum HxPiecesKind
{
	HX_PIECES_BPE = 0,	  /* pairs are merged, the first learnt first */
	HX_PIECES_UNIGRAM = 1 /* the likeliest cut */
} HxPiecesKind;

/* The key of a symbol: an id, at its place if places count */
static inline int64_t
hx_symbol_key(int places, uint32_t place, int32_t id)
{
	return (int64_t) ((uint64_t) (places ? place : 0) << 32 | (uint32_t) id);
}

/* The key of a pair of pieces, or of a node and a symbol */
static inline int64_t
hx_pair_key(uint32_t left, uint32_t right)
{
	return (int64_t) ((uint64_t) left << 32 | right);
}

/* Bytes of room for a sequence of so many ids */
extern size_t hx_segment_room(uint32_t count);

/*
 * The pieces of `count` ids, at most HX_MAX_SEQUENCE: their number, at most
 * `count`.  The model must be of method pieces.
 */
extern uint32_t hx_segment(const HxModel *model, const int32_t *ids,
						   uint32_t count, void *room, uint32_t *piece);

#endif /* HX_SEGMENT_H */
