/*
 * format.c
 *	  Reading the bytes of a model, which a user may have sent.
 *
 * Nothing is copied: the view's pointers lead into the bytes.  On machines that
 * store numbers the other way round, floats are turned in place, once.
 */
#include "encoder/model/format.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Greatest size of any float stored: sums of products stay finite in double */
#define MAX_FLOAT 1e30f

/* Bytes not yet read */
typedef struct Reader
{
	uint8_t *at;
	size_t left;
	char *error; /* HX_MODEL_ERROR bytes */
} Reader;

/* Names of methods, by number */
static const char *const method_names[HX_METHOD_COUNT] = {
	[HX_METHOD_RANDOM] = "random",	 [HX_METHOD_PCA] = "pca",
	[HX_METHOD_ITQ] = "itq",		 [HX_METHOD_CLASS] = "class",
	[HX_METHOD_FIT] = "fit",		 [HX_METHOD_SHIFT] = "shift",
	[HX_METHOD_CROSS] = "cross",	 [HX_METHOD_PAIRS] = "pairs",
	[HX_METHOD_RBIN] = "rbin",		 [HX_METHOD_RQ] = "rq",
	[HX_METHOD_PQ] = "pq",			 [HX_METHOD_PIECES] = "pieces",
	[HX_METHOD_LOUVAIN] = "louvain", [HX_METHOD_FREQ] = "freq",
	[HX_METHOD_DEDUP] = "dedup",	 [HX_METHOD_PVDBOW] = "pvdbow",
};

/* A number of columns that the method chooses, at least one */
#define ANY UINT32_MAX

/* The tables of a map */
typedef struct MapForm
{
	uint32_t constants;
	uint32_t tables;
	struct
	{
		uint32_t numbers; /* a row */
		uint32_t floats;  /* a row */
	} table[HX_MAX_TABLES];
} MapForm;

/* What maps consist of, by method: reading refuses others. */
static const MapForm map_forms[HX_METHOD_COUNT] = {
	[HX_METHOD_PIECES] = {3, 2, {{1, 0}, {2, 1}}},
	[HX_METHOD_LOUVAIN] = {0, 2, {{1, 0}, {1, 0}}},
	[HX_METHOD_FREQ] = {2, 1, {{1, 0}}},
	[HX_METHOD_DEDUP] = {0, 1, {{1, 0}}},
	[HX_METHOD_PVDBOW] = {3, 2, {{0, ANY}, {0, ANY}}},
};

const char *
HxMethodName(HxMethodId id)
{
	return id > 0 && id < HX_METHOD_COUNT ? method_names[id] : "unknown";
}

HxMethodId
HxMethodOfName(const char *name)
{
	for (int i = 1; i < HX_METHOD_COUNT; i++)
		if (strcmp(method_names[i], name) == 0)
			return (HxMethodId) i;
	return 0;
}

uint32_t
hx_get_u32(const uint8_t *at)
{
	return (uint32_t) at[0] | (uint32_t) at[1] << 8 | (uint32_t) at[2] << 16 |
		   (uint32_t) at[3] << 24;
}

int64_t
hx_find_key(const HxTable *table, int64_t key)
{
	uint32_t low = 0;
	uint32_t high = table->rows;

	while (low < high)
	{
		uint32_t middle = low + (high - low) / 2;

		if (hx_table_key(table, middle) < key)
			low = middle + 1;
		else
			high = middle;
	}
	return low < table->rows && hx_table_key(table, low) == key ? (int64_t) low
																: -1;
}

uint64_t
hx_get_u64(const uint8_t *at)
{
	return (uint64_t) hx_get_u32(at + 4) << 32 | hx_get_u32(at);
}

void
hx_put_u32(uint8_t *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t) (value >> 8 * i);
}

void
hx_put_u64(uint8_t *at, uint64_t value)
{
	hx_put_u32(at, (uint32_t) value);
	hx_put_u32(at + 4, (uint32_t) (value >> 32));
}

/* Keeps the reason; returns -1, for the caller to return. */
__attribute__((format(printf, 2, 3))) static int
reject(Reader *reader, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	vsnprintf(reader->error, HX_MODEL_ERROR, format, values);
	va_end(values);
	return -1;
}

/* The next bytes, `size` rounded up to four; NULL if there are fewer. */
static uint8_t *
take(Reader *reader, size_t size)
{
	uint8_t *start = reader->at;
	size_t padded;

	if (size > HX_MAX_MODEL)
		return NULL;
	padded = (size + 3) & ~(size_t) 3;
	if (padded > reader->left)
		return NULL;
	for (size_t i = size; i < padded; i++)
	{
		if (start[i] != 0)
			return NULL;
	}
	reader->at += padded;
	reader->left -= padded;
	return start;
}

/* The next number; 0 or -1 */
static int
take_u32(Reader *reader, uint32_t *value)
{
	const uint8_t *at = take(reader, 4);

	if (at == NULL)
		return reject(reader, "it ends within a section");
	*value = hx_get_u32(at);
	return 0;
}

/* The next floats, all finite and of moderate size; 0 or -1 */
static int
take_floats(Reader *reader, size_t count, const float **values)
{
	uint8_t *at = take(reader, count * 4);
	float *floats = (float *) (void *) at;

	if (at == NULL)
		return reject(reader, "it ends within %zu numbers", count);
	for (size_t i = 0; i < count; i++)
	{
		uint32_t bits = hx_get_u32(at + 4 * i);

		memcpy(floats + i, &bits, 4);
		if (!(fabsf(floats[i]) <= MAX_FLOAT))
			return reject(reader, "it holds a number that is not finite");
	}
	*values = floats;
	return 0;
}

/* The next whole numbers of 4 bytes, all below a limit; 0 or -1 */
static int
take_numbers(Reader *reader, size_t count, uint32_t limit,
			 const uint32_t **values)
{
	uint8_t *at = take(reader, count * 4);
	uint32_t *numbers = (uint32_t *) (void *) at;

	if (at == NULL)
		return reject(reader, "it ends within %zu numbers", count);
	for (size_t i = 0; i < count; i++)
	{
		numbers[i] = hx_get_u32(at + 4 * i);
		if (numbers[i] >= limit)
			return reject(reader, "a table has the number %u, its limit is %u",
						  numbers[i], limit);
	}
	*values = numbers;
	return 0;
}

/* Number of inputs and outputs of a layer that follows later; 0 or -1 */
static int
take_shape(Reader *reader, HxLayer *layer)
{
	if (take_u32(reader, &layer->inputs) != 0 ||
		take_u32(reader, &layer->outputs) != 0)
		return -1;
	if (layer->inputs < 1 || layer->inputs > HX_MAX_DENSE ||
		layer->outputs < 1 || layer->outputs > HX_MAX_DENSE)
		return reject(reader, "a layer has %u inputs and %u outputs",
					  layer->inputs, layer->outputs);
	return 0;
}

/* The layer of a shape; 0 or -1 */
static int
take_layer(Reader *reader, HxLayer *layer)
{
	if (take_u32(reader, &layer->precision) != 0)
		return -1;
	if (layer->precision > 2)
		return reject(reader, "a layer has precision %u", layer->precision);
	if (layer->precision == 0 && layer->inputs != layer->outputs)
		return reject(reader, "an identity has %u inputs and %u outputs",
					  layer->inputs, layer->outputs);
	if (take_floats(reader, layer->outputs, &layer->scale) != 0 ||
		take_floats(reader, layer->outputs, &layer->bias) != 0)
		return -1;
	layer->weights = NULL;
	if (layer->precision > 0)
	{
		size_t count =
			(size_t) layer->precision * layer->inputs * layer->outputs;

		layer->weights = (const int8_t *) take(reader, count);
		if (layer->weights == NULL)
			return reject(reader, "it ends within the weights of a layer");
		/* -128 would let a sum overflow */
		if (memchr(layer->weights, 0x80, count) != NULL)
			return reject(reader, "a weight is below -127");
	}
	return 0;
}

/* May a view of the model have that many blocks? */
static int
may_have_blocks(const HxModel *model, uint32_t blocks)
{
	switch (model->family)
	{
		case HX_LINEAR:
			return blocks >= 1 && blocks <= HX_MAX_BLOCKS;
		case HX_CODEBOOK:
			return blocks <= 1;
		default:
			return blocks == 0;
	}
}

/* Inputs and outputs of the blocks must add up; 0 or -1 */
static int
take_blocks(Reader *reader, const HxModel *model, HxView *view)
{
	uint64_t inputs = 0;
	uint64_t outputs = 0;

	if (take_u32(reader, &view->blocks) != 0)
		return -1;
	if (!may_have_blocks(model, view->blocks))
		return reject(reader, "a view has %u blocks", view->blocks);
	for (uint32_t i = 0; i < view->blocks; i++)
	{
		if (take_shape(reader, &view->block[i]) != 0)
			return -1;
		inputs += view->block[i].inputs;
		outputs += view->block[i].outputs;
	}
	if (view->blocks > 0 &&
		(inputs != hx_view_width(view) ||
		 (outputs != model->dims && model->family != HX_CODEBOOK)))
		return reject(reader, "the blocks of a view do not fit its %u inputs",
					  view->inputs);
	return 0;
}

/* One view; 0 or -1 */
static int
take_view(Reader *reader, const HxModel *model, HxView *view)
{
	const uint8_t *seed;
	uint32_t centered;

	if (take_u32(reader, &view->inputs) != 0 ||
		take_u32(reader, &view->features) != 0)
		return -1;
	seed = take(reader, 8);
	if (seed == NULL)
		return reject(reader, "it ends within a view");
	view->seed = hx_get_u64(seed);
	if (view->inputs < 1 || view->inputs > 1000000000 ||
		view->features > HX_MAX_FEATURES ||
		(view->features == 0 && view->inputs > HX_MAX_DENSE))
		return reject(reader, "a view has %u inputs and %u features",
					  view->inputs, view->features);
	if (view->features > 0 && !(model->flags & HX_FLAG_SPARSE))
		return reject(reader, "features need sparse inputs");
	if (take_u32(reader, &centered) != 0)
		return -1;
	if (centered > 2 ||
		(centered == 2 && (model->family != HX_LINEAR || model->views != 1)))
		return reject(reader, "a view has %u centres", centered);
	if (take_blocks(reader, model, view) != 0)
		return -1;
	if (centered > 0 &&
		take_floats(reader, hx_view_width(view), &view->center) != 0)
		return -1;
	if (centered == 2 &&
		take_floats(reader, hx_view_width(view), &view->query) != 0)
		return -1;
	for (uint32_t i = 0; i < view->blocks; i++)
	{
		if (take_layer(reader, &view->block[i]) != 0)
			return -1;
	}
	return 0;
}

/* Do the layers of a deep model fit each other?  0 or -1 */
static int
check_deep(Reader *reader, const HxModel *model)
{
	const HxLayer *layer = model->layer;
	uint32_t width = hx_view_width(&model->view[0]);

	if (model->views != 1 || model->layers != 3 ||
		(model->flags & HX_FLAG_PREFIXES))
		return reject(reader, "it has %u views and %u layers", model->views,
					  model->layers);
	if (layer[0].inputs != width || layer[1].inputs != width ||
		layer[2].inputs != layer[1].outputs ||
		layer[0].outputs != model->dims || layer[2].outputs != model->dims)
		return reject(reader, "its layers do not fit each other");
	return 0;
}

/* The layers of a deep model; 0 or -1 */
static int
take_deep(Reader *reader, HxModel *model)
{
	if (take_u32(reader, &model->layers) != 0)
		return -1;
	if (model->layers < 1 || model->layers > HX_MAX_LAYERS)
		return reject(reader, "it has %u layers", model->layers);
	for (uint32_t i = 0; i < model->layers; i++)
	{
		if (take_shape(reader, &model->layer[i]) != 0)
			return -1;
	}
	if (check_deep(reader, model) != 0)
		return -1;
	for (uint32_t i = 0; i < model->layers; i++)
	{
		if (take_layer(reader, &model->layer[i]) != 0)
			return -1;
	}
	return 0;
}

/* What form, output and numbers of books go together?  0 or -1 */
static int
check_books(Reader *reader, const HxModel *model)
{
	const HxBooks *books = &model->books;
	int product = books->form == HX_PRODUCT;

	if (books->form != HX_RESIDUAL && books->form != HX_PRODUCT)
		return reject(reader, "its books have form %d", (int) books->form);
	if (books->count < 1 || books->count > HX_MAX_BOOKS ||
		books->count != model->dims)
		return reject(reader, "it has %u books and %u dimensions", books->count,
					  model->dims);
	if (books->codes < 2 || books->codes > HX_MAX_CODEWORDS)
		return reject(reader, "its books have %u codewords", books->codes);
	if (books->sets < 1 || books->sets > (product ? 2u : 1u))
		return reject(reader, "it has %u sets of books", books->sets);
	if (product && books->count > books->width)
		return reject(reader, "it has %u books for %u dimensions", books->count,
					  books->width);
	if (product != (model->method == HX_METHOD_PQ) ||
		product != (model->output == HX_OUT_CODE) ||
		(product && (model->bits != 4 || books->codes != 16)))
		return reject(reader, "its books do not fit its method");
	if (model->views != 1 || (model->flags & HX_FLAG_PREFIXES))
		return reject(reader, "a codebook has %u views", model->views);
	return 0;
}

/* The books of a codebook, whose view was read; 0 or -1 */
static int
take_books(Reader *reader, HxModel *model)
{
	HxBooks *books = &model->books;
	const HxView *view = &model->view[0];
	uint32_t form;
	uint64_t count;

	books->width =
		view->blocks > 0 ? view->block[0].outputs : hx_view_width(view);
	if (take_u32(reader, &form) != 0 || take_u32(reader, &books->count) != 0 ||
		take_u32(reader, &books->codes) != 0 ||
		take_u32(reader, &books->sets) != 0)
		return -1;
	books->form = (HxBookForm) form;
	if (check_books(reader, model) != 0)
		return -1;
	count = (uint64_t) books->width * books->codes *
			(books->form == HX_RESIDUAL ? books->count : 1);
	if (count * 4 > reader->left)
		return reject(reader, "it ends within its books");
	if (take_floats(reader, (size_t) count, &books->word) != 0)
		return -1;
	if (books->sets == 2 &&
		take_floats(reader, (size_t) count, &books->query) != 0)
		return -1;
	return 0;
}

/* Constants of a map: all of the section; 0 or -1 */
static int
take_constants(Reader *reader, HxModel *model)
{
	size_t size = reader->left;

	if (size != 8 * (size_t) map_forms[model->method].constants)
		return reject(reader, "it has %zu bytes of constants", size);
	model->constants = (uint32_t) (size / 8);
	model->constant = take(reader, size);
	return 0;
}

/* A table of a map; 0 or -1 */
static int
take_table(Reader *reader, HxTable *table)
{
	uint64_t row;

	if (take_u32(reader, &table->rows) != 0 ||
		take_u32(reader, &table->numbers) != 0 ||
		take_u32(reader, &table->floats) != 0 ||
		take_u32(reader, &table->limit) != 0)
		return -1;
	row = 8 + 4 * ((uint64_t) table->numbers + table->floats);
	if (table->numbers > HX_MAX_COLUMNS || table->floats > HX_MAX_COLUMNS ||
		table->rows > HX_MAX_MODEL / 8 || row * table->rows != reader->left)
		return reject(reader, "a table of %u rows is cut off", table->rows);
	table->keys = take(reader, (size_t) 8 * table->rows);
	for (uint32_t i = 1; i < table->rows; i++)
	{
		if (hx_table_key(table, i - 1) >= hx_table_key(table, i))
			return reject(reader, "the keys of a table do not rise");
	}
	if (take_numbers(reader, (size_t) table->rows * table->numbers,
					 table->limit, &table->number) != 0)
		return -1;
	return take_floats(reader, (size_t) table->rows * table->floats,
					   &table->weight);
}

/* Has a table the columns that the method gives it?  0 or -1 */
static int
check_table(Reader *reader, const HxModel *model, uint32_t i)
{
	const HxTable *table = &model->table[i];
	uint32_t numbers = map_forms[model->method].table[i].numbers;
	uint32_t floats = map_forms[model->method].table[i].floats;

	if ((numbers == ANY ? table->numbers < 1 : table->numbers != numbers) ||
		(floats == ANY ? table->floats < 1 : table->floats != floats))
		return reject(reader, "table %u has %u numbers and %u floats a row",
					  i + 1, table->numbers, table->floats);
	return 0;
}

/*
 * A section whose tag must be `tag`: its contents as a reader of their own.
 * 1 if there is none, 0 if there is, -1 if it is broken.
 */
static int
take_section(Reader *reader, const char *tag, Reader *section)
{
	uint32_t size;

	if (reader->left < 8 || memcmp(reader->at, tag, 4) != 0)
		return 1;
	(void) take(reader, 4);
	if (take_u32(reader, &size) != 0)
		return -1;
	section->at = take(reader, size);
	if (section->at == NULL || size % 4 != 0)
		return reject(reader, "its section \"%s\" is cut off", tag);
	section->left = size;
	section->error = reader->error;
	return 0;
}

/* The section must have been read to its end; 0 or -1 */
static int
end_section(Reader *section)
{
	return section->left == 0
			   ? 0
			   : reject(section, "a section is %zu bytes too long",
						section->left);
}

/* Do family and method belong together?  0 or -1 */
static int
check_family(Reader *reader, const HxModel *model)
{
	int book = model->method == HX_METHOD_RQ || model->method == HX_METHOD_PQ;
	int map = map_forms[model->method].tables > 0;

	switch (model->family)
	{
		case HX_LINEAR:
		case HX_DEEP:
			if (!book && !map)
				return 0;
			break;
		case HX_CODEBOOK:
			if (book)
				return 0;
			break;
		case HX_MAP:
			if (map)
				return 0;
			break;
	}
	return reject(reader, "family %d and method %d do not belong together",
				  (int) model->family, (int) model->method);
}

/* Output, bits and dimensions: are they possible?  0 or -1 */
static int
check_output(Reader *reader, const HxModel *model)
{
	int ids = model->output == HX_OUT_IDS;
	int old = model->family == HX_LINEAR || model->family == HX_DEEP;

	if (model->output > HX_OUT_IDS || (ids && old) ||
		(model->output == HX_OUT_FLOAT && !old))
		return reject(reader, "output %d is unknown", (int) model->output);
	if (ids ? model->bits != 0 : model->bits < 1 || model->bits > 4)
		return reject(reader, "it has %d bits a dimension", model->bits);
	if (model->dims < 1 ||
		model->dims > (ids && model->family == HX_MAP ? (uint32_t) INT32_MAX
													  : HX_MAX_DENSE))
		return reject(reader, "it has %u dimensions", model->dims);
	return 0;
}

/* Are the header's numbers possible?  0 or -1 */
static int
check_header(Reader *reader, const HxModel *model)
{
	if (model->family < HX_LINEAR || model->family > HX_MAP)
		return reject(reader, "family %d is unknown", (int) model->family);
	if (model->method < 1 || model->method >= HX_METHOD_COUNT)
		return reject(reader, "method %d is unknown", (int) model->method);
	if (check_family(reader, model) != 0 || check_output(reader, model) != 0)
		return -1;
	if ((model->views < 1) != (model->family == HX_MAP) ||
		model->views > HX_MAX_VIEWS)
		return reject(reader, "it has %u views", model->views);
	if (model->family == HX_MAP && model->flags != 0)
		return reject(reader, "a map has flags %u", model->flags);
	if (model->flags & ~(unsigned) HX_FLAGS)
		return reject(reader, "flags %u are unknown", model->flags);
	if (!isfinite(model->loss))
		return reject(reader, "its loss is not finite");
	return 0;
}

/* The numbers of the header; 0 or -1 */
static int
take_header(Reader *reader, HxModel *model)
{
	uint8_t *at = reader->at;
	uint64_t loss;
	unsigned format;

	if (reader->left < HX_MODEL_HEADER || memcmp(at, HX_MODEL_MAGIC, 4) != 0)
		return reject(reader, "it does not begin as one");
	format = (unsigned) at[HX_AT_FORMAT] | (unsigned) at[HX_AT_FORMAT + 1] << 8;
	if (format != HX_MODEL_FORMAT)
		return reject(reader, "its format is %u, this release reads %d", format,
					  HX_MODEL_FORMAT);
	model->family = (HxFamily) at[HX_AT_FAMILY];
	model->method = (HxMethodId) at[HX_AT_METHOD];
	model->output = (HxOutput) at[HX_AT_OUTPUT];
	model->bits = at[HX_AT_BITS];
	model->views = at[HX_AT_VIEWS];
	model->flags = at[HX_AT_FLAGS];
	model->dims = hx_get_u32(at + HX_AT_DIMS);
	model->rows = hx_get_u64(at + HX_AT_ROWS);
	loss = hx_get_u64(at + HX_AT_LOSS);
	memcpy(&model->loss, &loss, 8);
	(void) take(reader, HX_MODEL_HEADER);
	return check_header(reader, model);
}

/* A section that must be there, whole, read by `read`; 0 or -1 */
static int
take_whole(Reader *reader, const char *tag, HxModel *model,
		   int (*read)(Reader *, HxModel *))
{
	Reader section;
	int found = take_section(reader, tag, &section);

	if (found > 0)
		return reject(reader, "its section \"%s\" is missing", tag);
	if (found < 0 || read(&section, model) != 0)
		return -1;
	return end_section(&section);
}

/* The next table of a map; 0 or -1 */
static int
take_next_table(Reader *reader, HxModel *model)
{
	uint32_t i = model->tables++;

	return take_table(reader, &model->table[i]) != 0
			   ? -1
			   : check_table(reader, model, i);
}

/* Constants and tables of a map; 0 or -1 */
static int
take_map(Reader *reader, HxModel *model)
{
	if (take_whole(reader, "cons", model, take_constants) != 0)
		return -1;
	while (model->tables < map_forms[model->method].tables)
	{
		if (take_whole(reader, "tabl", model, take_next_table) != 0)
			return -1;
	}
	return 0;
}

/* Everything behind the header; 0 or -1 */
static int
take_sections(Reader *reader, HxModel *model)
{
	Reader section;
	int found;

	for (uint32_t i = 0; i < model->views; i++)
	{
		found = take_section(reader, "view", &section);
		if (found > 0)
			return reject(reader, "its view %u is missing", i + 1);
		if (found < 0 || take_view(&section, model, &model->view[i]) != 0 ||
			end_section(&section) != 0)
			return -1;
	}
	if (model->family == HX_DEEP &&
		take_whole(reader, "deep", model, take_deep) != 0)
		return -1;
	if (model->family == HX_CODEBOOK &&
		take_whole(reader, "book", model, take_books) != 0)
		return -1;
	if (model->family == HX_MAP && take_map(reader, model) != 0)
		return -1;
	found = take_section(reader, "note", &section);
	if (found < 0)
		return -1;
	if (found == 0)
	{
		model->note = section.at;
		model->note_size = section.left;
	}
	return end_section(reader);
}

int
hx_read_model(uint8_t *bytes, size_t size, HxModel *model, char *error)
{
	Reader reader = {bytes, size, error};

	memset(model, 0, sizeof(HxModel));
	model->bytes = bytes;
	model->size = size;
	if (size > HX_MAX_MODEL)
		return reject(&reader, "it has %zu bytes", size);
	if (take_header(&reader, model) != 0 || take_sections(&reader, model) != 0)
		return -1;
	return 0;
}
