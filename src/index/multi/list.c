/*
 * list.c
 *	  Rows of the table as the index has them.
 */
#include "postgres.h"

#include "common/hashfn.h"

#include "index/multi/multi.h"

/* Error unless a list's tokens have the index's shape. */
static void
check_shape(const HxIndexDesc *desc, const HxTokens *tokens)
{
	if (tokens->count == 0)
		return;
	if (tokens->dims != desc->dims ||
		(tokens->planes > 0 && tokens->planes != desc->planes))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("tokens have %d dimensions, but the index is of %d",
						tokens->dims, desc->dims)));
}

void
HxReadList(const HxIndexDesc *desc, Datum list, HxTokens *tokens)
{
	HxReadTokens((HxTokenType) desc->vector->layout, DatumGetArrayTypeP(list),
				 tokens);
	check_shape(desc, tokens);
	if (tokens->count > HX_MOST_MARKS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("list of %d tokens, more than the %d that an index "
						"takes",
						tokens->count, HX_MOST_MARKS),
				 errhint("Split the document into several rows.")));
	HxTokensAsFloats(tokens);
}

/* A hash of a list's numbers */
static uint16
hash_tokens(const HxTokens *tokens)
{
	uint32 hash = (uint32) tokens->count;

	for (int i = 0; i < tokens->count; i++)
		hash = hash_combine(
			hash, DatumGetUInt32(hash_any(
					  (const unsigned char *) (tokens->floats +
											   (Size) i * tokens->dims),
					  tokens->dims * (int) sizeof(float))));
	return (uint16) (hash ^ hash >> 16);
}

void
HxFormListRow(const HxIndexDesc *desc, const Datum *values, const bool *isnull,
			  const ItemPointerData *tid, HxListRow *row)
{
	const HxCodebooks *books = HxCodebooksOf(desc);
	int vector = desc->vector_attno - 1;
	HxTokens tokens;

	memset(row, 0, offsetof(HxListRow, attrs));
	row->tid = *tid;
	HxEncodeAttrs(desc, values, isnull, &row->attrs);
	row->marks = NULL;
	row->error = HX_LIST_NULL;
	if (isnull[vector])
		return;
	HxReadList(desc, values[vector], &tokens);
	row->hash = hash_tokens(&tokens);
	row->error = tokens.count > 0 ? HX_LIST_BARE : 0;
	if (tokens.count == 0 || !books)
		return;
	row->marks = palloc(tokens.count * sizeof(uint32));
	row->error = HxShorten(
		HxEncodeTokens(books, tokens.floats, tokens.count, row->marks));
	row->count = tokens.count;
	if (row->error >= HX_LIST_BARE) /* numbers too large to be estimated */
	{
		row->error = HX_LIST_BARE;
		row->count = 0;
	}
}

void
HxFormListPayload(const HxIndexDesc *desc, Datum list, uint8 *payload)
{
	HxTokens tokens;
	uint16 hash;

	HxReadList(desc, list, &tokens);
	hash = hash_tokens(&tokens);
	memset(payload, 0, desc->payload);
	memcpy(payload, &hash, sizeof(hash));
}

/* It is the hash alone. */
void
HxReduceListPayload(const HxIndexDesc *desc, uint8 *payload, bool least)
{
	memset(payload + sizeof(uint16), 0, desc->payload - sizeof(uint16));
}

void
HxAddToSample(const HxIndexDesc *desc, HxListSample *sample, Datum list,
			  int most)
{
	HxTokens tokens;
	int count;

	HxReadList(desc, list, &tokens);
	if (tokens.count == 0)
		return;
	count = Min(tokens.count, most);
	if (sample->used + count > sample->room)
		return;
	for (int i = 0; i < count; i++)
		memcpy(sample->floats + (sample->used + i) * desc->dims,
			   tokens.floats + (Size) (i * tokens.count / count) * desc->dims,
			   desc->dims * sizeof(float));
	sample->used += count;
	sample->ends[sample->count++] = (int) sample->used;
}
