/*
 * grid.c
 *	  The grid of filters for plans: every kind of condition, from all rows down
 *	  to one in ten thousand, on columns of three sorts: attributes of the
 *	  index, columns with an ordinary index only, and columns with none.
 *
 * Columns of the table that are not in data.c's are drawn here, by number of
 * row, so that they need no files: grid_row() writes what match functions read.
 */
#include <stdio.h>
#include <string.h>

#include "filters.h"
#include "grid.h"

/* Independent draws: which column */
enum
{
	LEV = 101, /* level by equality: 0 in 90 %, 1 in 9 % .. 4 in 0.01 % */
	RNG,	   /* uniform */
	VAL,	   /* ten thousand values */
	OPT10,	   /* NULL in 10 % */
	OPT01,	   /* NULL in 0.1 % */
	ARR,	   /* array elements 1 (all rows) .. 5 (0.01 %) */
	ARR2,	   /* likewise 11 .. 15 */
	OTH,	   /* uniform, ordinary index only */
	OTH2,	   /* likewise */
	JSON,	   /* levels of a jsonb, GIN only */
	WORDS,	   /* levels of a tsvector, GIN only */
	PLAIN	   /* uniform, no index */
};

static inline int
draw(int column, size_t row)
{
	return (int) (bench_random(column, row) % 1000000);
}

/* How many of 1, 10 %, 1 %, 0.1 %, 0.01 % a draw is among: 1 to 5 */
static inline int
levels(int column, size_t row)
{
	int value = draw(column, row), count = 1;

	for (int limit = 100000; count < 5 && value < limit; limit /= 10)
		count++;
	return count;
}

void
grid_print_columns(const char *type)
{
	printf("id integer, code %s, lev integer, rng integer, val integer,"
		   " opt10 integer, opt01 integer, arr integer[], near64 smallint,"
		   " near4096 smallint, oth integer, oth2 integer, j jsonb,"
		   " ts tsvector, near64o smallint, near4096o smallint, plain integer,"
		   " near64p smallint, near4096p smallint, fine0 smallint,"
		   " fine1 smallint, fine2 smallint, fine3 smallint, fine4 smallint,"
		   " fine5 smallint, fine6 smallint, fine7 smallint",
		   type);
}

void
grid_row(const BenchSet *set, size_t i)
{
	const BenchColumns *column = &set->column;
	static const char *const words[] = {"all", "tenth", "hundredth",
										"thousandth", "least"};
	const char *before = "";

	printf("\t%d\t%d\t%d", levels(LEV, i) - 1, draw(RNG, i),
		   draw(VAL, i) % 10000);
	printf(draw(OPT10, i) < 100000 ? "\t\\N" : "\t1");
	printf(draw(OPT01, i) < 1000 ? "\t\\N\t{" : "\t1\t{");
	for (int level = 1; level <= levels(ARR, i); level++)
		printf("%d,", level);
	for (int level = 1; level <= levels(ARR2, i); level++)
		printf("%s%d", level > 1 ? "," : "", 10 + level);
	printf("}\t%d\t%d\t%d\t%d\t{\"v\": [", column->near64[i],
		   column->near4096[i], draw(OTH, i), draw(OTH2, i));
	for (int level = 1; level <= levels(JSON, i); level++)
		printf("%s%d", level > 1 ? ", " : "", level);
	printf("], \"n\": %zu}\t", i);
	for (int level = 0; level < levels(WORDS, i); level++)
	{
		printf("%s%s", before, words[level]);
		before = " ";
	}
	printf("\t%d\t%d\t%d\t%d\t%d", column->near64[i], column->near4096[i],
		   draw(PLAIN, i), column->near64[i], column->near4096[i]);
	for (int f = 0; f < BENCH_FINE; f++)
		printf("\t%d", column->fine[f][i]);
}

/* Filters */

/* Five filters of falling share, NAME0 to NAME4 */
#define MATCH5(name, expression)             \
	MATCH(name##0, (expression(0, 1000000))) \
	MATCH(name##1, (expression(1, 100000)))  \
	MATCH(name##2, (expression(2, 10000)))   \
	MATCH(name##3, (expression(3, 1000)))    \
	MATCH(name##4, (expression(4, 100)))

#define LEV_IS(level, most) levels(LEV, i) == level + 1
#define RNG_BELOW(level, most) draw(RNG, i) < most
#define OTH_BELOW(level, most) draw(OTH, i) < most
#define ARR_HAS(level, most) levels(ARR, i) > level
#define ARR_HAS_SOME(level, most) levels(ARR2, i) > level
#define JSON_HAS(level, most) levels(JSON, i) > level
#define WORDS_HAVE(level, most) levels(WORDS, i) > level
#define PLAIN_NEAR(level, most) \
	draw(PLAIN, i) >= 500000 - most / 2 && draw(PLAIN, i) < 500000 + most / 2
#define IN_VALUES(count) draw(VAL, i) % 10000 < count

MATCH5(lev, LEV_IS)
MATCH5(rng, RNG_BELOW)
MATCH5(oth, OTH_BELOW)
MATCH5(arr, ARR_HAS)
MATCH5(some, ARR_HAS_SOME)
MATCH5(json, JSON_HAS)
MATCH5(words, WORDS_HAVE)
MATCH5(plain, PLAIN_NEAR)
MATCH(in3, levels(LEV, i) >= 2 && levels(LEV, i) <= 4)
MATCH(in2, levels(LEV, i) == 3 || levels(LEV, i) == 5)
MATCH(in10, IN_VALUES(10))
MATCH(in1, IN_VALUES(1))
MATCH(and_both, draw(RNG, i) < 100000 && levels(LEV, i) == 2)
MATCH(and_other, draw(RNG, i) < 100000 && draw(OTH, i) < 100000)
MATCH(and_others, levels(JSON, i) > 1 && draw(OTH, i) < 100000)
MATCH(and_plain, draw(RNG, i) < 100000 && draw(PLAIN, i) < 100000)
MATCH(or_both, draw(RNG, i) < 10000 || levels(LEV, i) == 4)
MATCH(or_other, draw(RNG, i) < 10000 || draw(OTH, i) < 1000)
MATCH(or_others, draw(OTH, i) < 10000 || draw(OTH2, i) < 1000)
MATCH(or_plain, draw(RNG, i) < 10000 || draw(PLAIN, i) < 1000)
MATCH(not_range, draw(RNG, i) < 10000)
MATCH(not_arr, levels(ARR, i) < 2)
MATCH(not_json, levels(JSON, i) < 2)
MATCH(null10, draw(OPT10, i) < 100000)
MATCH(null01, draw(OPT01, i) < 1000)
MATCH(not_null, draw(OPT10, i) >= 100000)

/* Five filters, with SQL that differs in a constant */
#define FILTER5(name, sql, match, a, b, c, d, e)    \
	{name " 1", sql(a), "", match##0, NULL},        \
		{name " .1", sql(b), "", match##1, NULL},   \
		{name " .01", sql(c), "", match##2, NULL},  \
		{name " .001", sql(d), "", match##3, NULL}, \
	{                                               \
		name " .0001", sql(e), "", match##4, NULL   \
	}

#define SQL_LEV(n) "lev = " #n
#define SQL_RNG(n) "rng < " #n
#define SQL_OTH(n) "oth < " #n
#define SQL_ARR(n) "arr @> '{" #n "}'"
#define SQL_SOME(n) "arr && '{" #n ",99}'"
#define SQL_JSON(n) "j @> '{\"v\": [" #n "]}'"
#define SQL_WORDS(n) "ts @@ '" #n "'::tsquery"
#define SQL_PLAIN(n) "abs(2 * plain - 999999) < " #n

/* Own and opposite neighbourhoods by columns whose names end in `sort` */
#define NEIGHBOURHOODS(name, sort)                                             \
	{name " own 64", "near64" sort " = $2", "smallint", match_own64,           \
	 bind_own64},                                                              \
		{name " opposite 64", "near64" sort " = $2", "smallint",               \
		 match_opposite64, bind_opposite64},                                   \
		{name " own 4096", "near4096" sort " = $2", "smallint", match_own4096, \
		 bind_own4096},                                                        \
	{                                                                          \
		name " opposite 4096", "near4096" sort " = $2", "smallint",            \
			match_opposite4096, bind_opposite4096                              \
	}

const BenchFilter grid_filters[] = {
	{"none", "true", "", match_all, NULL},
	FILTER5("= attribute", SQL_LEV, match_lev, 0, 1, 2, 3, 4),
	FILTER5("range attribute", SQL_RNG, match_rng, 1000000, 100000, 10000, 1000,
			100),
	{"IN .1", "lev IN (1, 2, 3)", "", match_in3, NULL},
	{"IN .01", "lev IN (2, 4)", "", match_in2, NULL},
	{"IN .001", "val IN (0, 1, 2, 3, 4, 5, 6, 7, 8, 9)", "", match_in10, NULL},
	{"IN .0001", "val IN (0, -1)", "", match_in1, NULL},
	FILTER5("array @>", SQL_ARR, match_arr, 1, 2, 3, 4, 5),
	FILTER5("array &&", SQL_SOME, match_some, 11, 12, 13, 14, 15),
	FILTER5("range B-tree", SQL_OTH, match_oth, 1000000, 100000, 10000, 1000,
			100),
	FILTER5("jsonb GIN", SQL_JSON, match_json, 1, 2, 3, 4, 5),
	FILTER5("text GIN", SQL_WORDS, match_words, all, tenth, hundredth,
			thousandth, least),
	FILTER5("function", SQL_PLAIN, match_plain, 1000000, 100000, 10000, 1000,
			100),
	{"AND attributes", "rng < 100000 AND lev = 1", "", match_and_both, NULL},
	{"AND B-tree", "rng < 100000 AND oth < 100000", "", match_and_other, NULL},
	{"AND GIN B-tree", "j @> '{\"v\": [2]}' AND oth < 100000", "",
	 match_and_others, NULL},
	{"AND plain", "rng < 100000 AND plain < 100000", "", match_and_plain, NULL},
	{"OR attributes", "(rng < 10000 OR lev = 3)", "", match_or_both, NULL},
	{"OR B-tree", "(rng < 10000 OR oth < 1000)", "", match_or_other, NULL},
	{"OR B-trees", "(oth < 10000 OR oth2 < 1000)", "", match_or_others, NULL},
	{"OR plain", "(rng < 10000 OR plain < 1000)", "", match_or_plain, NULL},
	{"NOT range .01", "NOT rng >= 10000", "", match_not_range, NULL},
	{"NOT array .9", "NOT arr @> '{2}'", "", match_not_arr, NULL},
	{"NOT jsonb .9", "NOT j @> '{\"v\": [2]}'", "", match_not_json, NULL},
	{"IS NULL .1", "opt10 IS NULL", "", match_null10, NULL},
	{"IS NULL .001", "opt01 IS NULL", "", match_null01, NULL},
	{"IS NOT NULL .9", "opt10 IS NOT NULL", "", match_not_null, NULL},
	NEIGHBOURHOODS("attribute", ""),
	NEIGHBOURHOODS("B-tree", "o"),
	NEIGHBOURHOODS("plain", "p"),
	{"finer than a block", "fine%d = $2", "smallint", match_fine, bind_fine},
};

const int grid_filter_count = sizeof grid_filters / sizeof grid_filters[0];
