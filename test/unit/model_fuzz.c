/*
 * model_fuzz.c
 *	  Bytes that are almost an encoder: reading must refuse them or give a
 *	  model with which computing touches no byte outside.
 *
 *	model_fuzz [seed [seconds]]
 *
 * To be built with the address and undefined behaviour sanitizers.  Models of
 * random shapes are made, then bytes are changed, cut, doubled and swapped.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "encoder/model/apply.h"
#include "kernel/kernel.h"
#include "random.h"
#include "use_model.h"

/* Largest model, and dimensions of models that are computed with */
#define MAX_BYTES 60000
#define MAX_DIMS 64

/* Bytes being written */
typedef struct Writer
{
	uint8_t *bytes;
	size_t size;
} Writer;

static void
put(Writer *writer, uint32_t value)
{
	hx_put_u32(writer->bytes + writer->size, value);
	writer->size += 4;
}

static void
put_floats(Writer *writer, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
	{
		float value = (float) ((double) random_below(2000000) / 1e6 - 1);
		uint32_t bits;

		memcpy(&bits, &value, 4);
		put(writer, bits);
	}
}

static void
put_layer(Writer *writer, uint32_t inputs, uint32_t outputs)
{
	uint32_t precision =
		inputs == outputs ? random_below(3) : 1 + random_below(2);
	size_t weights = (size_t) precision * inputs * outputs;

	put(writer, precision);
	put_floats(writer, outputs);
	put_floats(writer, outputs);
	for (size_t i = 0; i < weights; i++)
		writer->bytes[writer->size++] =
			(uint8_t) (int8_t) ((int) random_below(255) - 127);
	while (writer->size % 4 != 0)
		writer->bytes[writer->size++] = 0;
}

/* Begin a section; where it begins, for end_section */
static size_t
begin_section(Writer *writer, const char *tag)
{
	memcpy(writer->bytes + writer->size, tag, 4);
	writer->size += 8;
	return writer->size;
}

/* Fill in the length of a section */
static void
end_section(Writer *writer, size_t start)
{
	hx_put_u32(writer->bytes + start - 4, (uint32_t) (writer->size - start));
}

/* A section with one view of `views`; `dims` is the model's */
static void
put_view(Writer *writer, uint32_t dims, uint32_t views)
{
	uint32_t inputs = 1 + random_below(MAX_DIMS);
	uint32_t features = random_below(3) == 0 ? 1 + random_below(MAX_DIMS) : 0;
	uint32_t width = features > 0 ? features : inputs;
	uint32_t blocks = width > 1 && dims > 1 ? 1 + random_below(2) : 1;
	uint32_t first_in = blocks > 1 ? 1 + random_below(width - 1) : width;
	uint32_t first_out = blocks > 1 ? 1 + random_below(dims - 1) : dims;
	uint32_t centered = random_below(views == 1 ? 3 : 2);
	size_t start = begin_section(writer, "view");

	put(writer, inputs);
	put(writer, features);
	put(writer, random_below(100));
	put(writer, 0);
	put(writer, centered);
	put(writer, blocks);
	put(writer, first_in);
	put(writer, first_out);
	if (blocks > 1)
	{
		put(writer, width - first_in);
		put(writer, dims - first_out);
	}
	for (uint32_t i = 0; i < centered; i++)
		put_floats(writer, width);
	put_layer(writer, first_in, first_out);
	if (blocks > 1)
		put_layer(writer, width - first_in, dims - first_out);
	end_section(writer, start);
}

/* The view and the books of a codebook; its dimensions */
static uint32_t
put_codebook(Writer *writer, int product)
{
	uint32_t inputs = 1 + random_below(MAX_DIMS);
	uint32_t outputs = 1 + random_below(MAX_DIMS);
	uint32_t blocks = random_below(2);
	uint32_t width = blocks > 0 ? outputs : inputs;
	uint32_t books = 1 + random_below(product ? width : 4);
	uint32_t codes = product ? 16 : 2 + random_below(10);
	uint32_t sets = product ? 1 + random_below(2) : 1;
	uint32_t centered = random_below(2);
	size_t start = begin_section(writer, "view");

	put(writer, inputs);
	put(writer, 0);
	put(writer, 0);
	put(writer, 0);
	put(writer, centered);
	put(writer, blocks);
	if (blocks > 0)
	{
		put(writer, inputs);
		put(writer, outputs);
	}
	put_floats(writer, centered ? inputs : 0);
	if (blocks > 0)
		put_layer(writer, inputs, outputs);
	end_section(writer, start);
	start = begin_section(writer, "book");
	put(writer, product ? HX_PRODUCT : HX_RESIDUAL);
	put(writer, books);
	put(writer, codes);
	put(writer, sets);
	put_floats(writer, sets * width * codes * (product ? 1 : books));
	end_section(writer, start);
	return books;
}

/* A whole model */
static size_t
make_model(uint8_t *bytes)
{
	Writer writer = {bytes, HX_MODEL_HEADER};
	uint32_t dims = 1 + random_below(MAX_DIMS / 2);
	uint32_t views = 1 + random_below(2);

	memset(bytes, 0, HX_MODEL_HEADER);
	memcpy(bytes, HX_MODEL_MAGIC, 4);
	bytes[HX_AT_FORMAT] = HX_MODEL_FORMAT;
	bytes[HX_AT_FAMILY] = HX_LINEAR;
	bytes[HX_AT_METHOD] = 1;
	bytes[HX_AT_BITS] = (uint8_t) (1 + random_below(4));
	bytes[HX_AT_VIEWS] = (uint8_t) views;
	bytes[HX_AT_FLAGS] =
		(uint8_t) (HX_FLAG_SPARSE | random_below(HX_FLAGS + 1));
	hx_put_u32(bytes + HX_AT_DIMS, dims);
	for (uint32_t i = 0; i < views; i++)
		put_view(&writer, dims, views);
	return writer.size;
}

/* A whole codebook */
static size_t
make_codebook(uint8_t *bytes)
{
	Writer writer = {bytes, HX_MODEL_HEADER};
	int product = (int) random_below(2);

	memset(bytes, 0, HX_MODEL_HEADER);
	memcpy(bytes, HX_MODEL_MAGIC, 4);
	bytes[HX_AT_FORMAT] = HX_MODEL_FORMAT;
	bytes[HX_AT_FAMILY] = HX_CODEBOOK;
	bytes[HX_AT_METHOD] = product ? HX_METHOD_PQ : HX_METHOD_RQ;
	bytes[HX_AT_OUTPUT] = product ? HX_OUT_CODE : HX_OUT_IDS;
	bytes[HX_AT_BITS] = product ? 4 : 0;
	bytes[HX_AT_VIEWS] = 1;
	bytes[HX_AT_FLAGS] = (uint8_t) random_below(HX_FLAG_PREFIXES);
	hx_put_u32(bytes + HX_AT_DIMS, put_codebook(&writer, product));
	return writer.size;
}

/* The tables of the map of a method: as many numbers and floats a row */
typedef struct MapForm
{
	HxMethodId method;
	uint32_t constants;
	uint32_t tables;
	uint32_t columns[HX_MAX_TABLES][2];
} MapForm;

/* Every method whose models are maps: format.c has the same */
static const MapForm map_forms[] = {
	{HX_METHOD_PIECES, 3, 2, {{1, 0}, {2, 1}}},
	{HX_METHOD_LOUVAIN, 0, 2, {{1, 0}, {1, 0}}},
	{HX_METHOD_FREQ, 2, 1, {{1, 0}}},
	{HX_METHOD_DEDUP, 0, 1, {{1, 0}}},
	{HX_METHOD_PVDBOW, HX_LEXICON_CONSTANTS, 2, {{0, 1}, {0, 1}}},
};

/* A table of a map, keys at random */
static void
put_table(Writer *writer, uint32_t rows, uint32_t numbers, uint32_t floats)
{
	uint32_t limit = 1 + random_below(20);
	int64_t key = random_below(2) ? -5 : INT64_C(1) << 32;
	size_t start = begin_section(writer, "tabl");

	put(writer, rows);
	put(writer, numbers);
	put(writer, floats);
	put(writer, limit);
	for (uint32_t i = 0; i < rows; i++)
	{
		put(writer, (uint32_t) key);
		put(writer, (uint32_t) ((uint64_t) key >> 32));
		key += 1 + random_below(3);
		key += random_below(5) == 0 ? INT64_C(1) << 32 : 0;
	}
	for (uint32_t i = 0; i < rows * numbers; i++)
		put(writer, random_below(limit));
	put_floats(writer, rows * floats);
	end_section(writer, start);
}

/* A whole map of any method */
static size_t
make_map(uint8_t *bytes)
{
	Writer writer = {bytes, HX_MODEL_HEADER};
	const MapForm *form = &map_forms[random_below(
		(uint32_t) (sizeof(map_forms) / sizeof(map_forms[0])))];
	int words = form->method == HX_METHOD_PVDBOW;
	uint32_t dims = 1 + random_below(words ? 20 : 1000);
	uint32_t real = random_below(4);
	size_t start;

	memset(bytes, 0, HX_MODEL_HEADER);
	memcpy(bytes, HX_MODEL_MAGIC, 4);
	bytes[HX_AT_FORMAT] = HX_MODEL_FORMAT;
	bytes[HX_AT_FAMILY] = HX_MAP;
	bytes[HX_AT_METHOD] = (uint8_t) form->method;
	bytes[HX_AT_OUTPUT] = words ? HX_OUT_CODE : HX_OUT_IDS;
	bytes[HX_AT_BITS] = (uint8_t) words;
	hx_put_u32(bytes + HX_AT_DIMS, dims);
	start = begin_section(&writer, "cons");
	for (uint32_t i = 0; i < form->constants; i++)
	{
		put(&writer, words && i == HX_LEXICON_REAL ? real : random_below(3));
		put(&writer, 0);
	}
	end_section(&writer, start);
	if (words)
	{
		put_table(&writer, 1 + random_below(40), 0,
				  (uint32_t) hx_lexicon_columns((int) dims, (int) real));
		put_table(&writer, real > 0 ? dims : 0, 0, real > 0 ? real : 1);
		return writer.size;
	}
	for (uint32_t t = 0; t < form->tables; t++)
		put_table(&writer, random_below(40), form->columns[t][0],
				  form->columns[t][1]);
	return writer.size;
}

/* A whole model of any family */
static size_t
make_any(uint8_t *bytes)
{
	switch (random_below(4))
	{
		case 0:
			return make_codebook(bytes);
		case 1:
			return make_map(bytes);
		default:
			return make_model(bytes);
	}
}

/* Harm the bytes; their new size */
static size_t
harm(uint8_t *bytes, size_t size)
{
	static const uint32_t odd[] = {0,		   1,		   0x7fffffff,
								   0x80000000, 0xffffffff, 0x7fc00000,
								   0x7f800000, 16384,	   16385};
	uint32_t times = 1 + random_below(3);

	while (times-- > 0 && size > 0)
	{
		size_t at = random_below((uint32_t) size);

		switch (random_below(6))
		{
			case 0:
				bytes[at] = (uint8_t) next_random();
				break;
			case 1:
				bytes[at] ^= (uint8_t) (1 << random_below(8));
				break;
			case 2:
				size = at;
				break;
			case 3:
				if (size >= 4)
					hx_put_u32(bytes + (at & ~(size_t) 3) % (size - 3),
							   odd[random_below(9)]);
				break;
			case 4:
				if (size + 4 <= MAX_BYTES)
					memset(bytes + size, (int) random_below(2) * 255, 4);
				size += size + 4 <= MAX_BYTES ? 4 : 0;
				break;
			default:
				memmove(bytes + at, bytes + random_below((uint32_t) at + 1),
						size - at);
		}
	}
	return size;
}

/* Most inputs, and outputs, of the model that levels are compared by */
#define INPUTS 130
#define OUTPUTS 512
#define VECTORS 20000

/* Output and code of a vector at a level */
typedef struct Encoded
{
	double y[OUTPUTS];
	uint8_t code[4 * OUTPUTS / 8];
} Encoded;

/* Encode with the level in use; outputs that are not a multiple of eight, too */
static void
encode(const HxModel *model, const double *from, uint32_t outputs,
	   Encoded *encoded)
{
	static double room[INPUTS + OUTPUTS];
	double x[INPUTS];

	memset(encoded, 0, sizeof(*encoded));
	memcpy(x, from, sizeof(x));
	hx_apply_model(model, 0, x, model->view[0].inputs, room, encoded->y);
	hx_kernels->steps->code(encoded->y, outputs, model->bits, encoded->code,
							OUTPUTS / 8);
}

/* Is a random vector encoded differently by any level? */
static int
compare_vector(const HxModel *model)
{
	static Encoded wanted;
	static Encoded got;
	double largest = (double) (1 + random_below(1000));
	uint32_t outputs = OUTPUTS - random_below(9);
	double x[INPUTS];

	for (int i = 0; i < INPUTS; i++)
	{
		float number = (float) random_below(2000001) / 1e6f - 1.0f;

		x[i] = random_below(50) == 0 ? 0.0 : (double) number * largest;
	}
	hx_kernel_choose("scalar");
	encode(model, x, outputs, &wanted);
	for (int i = 1; hx_kernel_levels()[i] != NULL; i++)
	{
		hx_kernel_choose(hx_kernel_levels()[i]->name);
		encode(model, x, outputs, &got);
		if (memcmp(&got, &wanted, sizeof(got)) != 0)
			return 1;
	}
	return 0;
}

/*
 * Ten million outputs of a model at every level of kernels, and codes of them:
 * equal to the last bit.  Returns the number of vectors for which they are not.
 */
static int
compare_levels(void)
{
	static int8_t weights[2 * INPUTS * OUTPUTS];
	static float numbers[2][OUTPUTS];
	static float center[INPUTS];
	HxModel model = {.family = HX_LINEAR, .views = 1, .dims = OUTPUTS};
	HxView *view = &model.view[0];
	HxLayer *layer = &view->block[0];
	int different = 0;

	for (size_t i = 0; i < sizeof(weights); i++)
		weights[i] = (int8_t) ((int) random_below(255) - 127);
	for (int i = 0; i < OUTPUTS; i++)
	{
		numbers[0][i] = (float) random_below(1000) / 7e4f;
		numbers[1][i] = (float) random_below(1000) / 3e3f;
	}
	for (int i = 0; i < INPUTS; i++)
		center[i] = (float) random_below(1000) / 1e3f - 0.5f;
	view->blocks = 1;
	*layer = (HxLayer){0, OUTPUTS, 1, numbers[0], numbers[1], weights};
	for (int n = 0; n < VECTORS; n++)
	{
		view->inputs = layer->inputs = 1 + random_below(INPUTS);
		layer->precision = n % 64 == 0 ? 2 : 1;
		view->center = random_below(2) ? center : NULL;
		model.flags = random_below(2) ? HX_FLAG_NORMALIZE : 0;
		model.bits = 1 + (int) random_below(4);
		different += compare_vector(&model);
	}
	printf("%-6s %d outputs at all levels: %d vectors differ\n",
		   different ? "FAILED" : "ok", VECTORS * OUTPUTS, different);
	return different;
}

int
main(int argc, char **argv)
{
	uint64_t seed = argc > 1 && *argv[1] ? strtoull(argv[1], NULL, 10)
										 : (uint64_t) time(NULL) + 1;
	double seconds = argc > 2 ? atof(argv[2]) : 5;
	time_t end;
	uint8_t *bytes = malloc(MAX_BYTES);
	long accepted = 0;
	long refused = 0;
	int wrong = 0;
	int unequal;

	random_state = seed ? seed : 1;
	printf("seed %llu\n", (unsigned long long) seed);
	unequal = compare_levels() != 0;
	end = time(NULL) + (time_t) seconds;
	while (time(NULL) < end)
	{
		HxModel model;
		char error[HX_MODEL_ERROR];
		size_t size = make_any(bytes);
		uint8_t *exact = malloc(size);

		memcpy(exact, bytes, size);
		hx_kernel_choose(random_below(2) ? "auto" : "scalar");
		if (hx_read_model(exact, size, &model, error) != 0)
		{
			if (wrong++ < 5)
				printf("refused a good model: %s\n", error);
		}
		else
			use_model(&model);
		free(exact);
		for (int i = 0; i < 200; i++)
		{
			uint8_t *copy = malloc(MAX_BYTES);
			size_t harmed;

			memcpy(copy, bytes, size);
			harmed = harm(copy, size);
			/* of exactly that size, so that reading beyond is noticed */
			exact = malloc(harmed ? harmed : 1);
			memcpy(exact, copy, harmed);
			free(copy);
			if (hx_read_model(exact, harmed, &model, error) == 0)
			{
				accepted++;
				use_model(&model);
			}
			else
				refused++;
			free(exact);
		}
	}
	free(bytes);
	wrong += accepted == 0 || refused == 0;
	printf("%-6s harmed models: %ld refused, %ld accepted and used\n",
		   wrong ? "FAILED" : "ok", refused, accepted);
	printf("%d passed, %d failed\n", !wrong + !unequal, !!wrong + unequal);
	return wrong || unequal ? EXIT_FAILURE : EXIT_SUCCESS;
}
