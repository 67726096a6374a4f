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
	[HX_METHOD_RANDOM] = "random", [HX_METHOD_PCA] = "pca",
	[HX_METHOD_ITQ] = "itq",	   [HX_METHOD_CLASS] = "class",
	[HX_METHOD_FIT] = "fit",	   [HX_METHOD_SHIFT] = "shift",
	[HX_METHOD_CROSS] = "cross",   [HX_METHOD_PAIRS] = "pairs",
	[HX_METHOD_RBIN] = "rbin",
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

/* Inputs and outputs of the blocks must add up; 0 or -1 */
static int
take_blocks(Reader *reader, const HxModel *model, HxView *view)
{
	uint64_t inputs = 0;
	uint64_t outputs = 0;

	if (take_u32(reader, &view->blocks) != 0)
		return -1;
	if (view->blocks > HX_MAX_BLOCKS ||
		(view->blocks == 0) != (model->family == HX_DEEP))
		return reject(reader, "a view has %u blocks", view->blocks);
	for (uint32_t i = 0; i < view->blocks; i++)
	{
		if (take_shape(reader, &view->block[i]) != 0)
			return -1;
		inputs += view->block[i].inputs;
		outputs += view->block[i].outputs;
	}
	if (view->blocks > 0 &&
		(inputs != hx_view_width(view) || outputs != model->dims))
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

/* Are the header's numbers possible?  0 or -1 */
static int
check_header(Reader *reader, const HxModel *model)
{
	if (model->family != HX_LINEAR && model->family != HX_DEEP)
		return reject(reader, "family %d is unknown", (int) model->family);
	if (model->method < 1 || model->method >= HX_METHOD_COUNT)
		return reject(reader, "method %d is unknown", (int) model->method);
	if (model->output != HX_OUT_CODE && model->output != HX_OUT_FLOAT)
		return reject(reader, "output %d is unknown", (int) model->output);
	if (model->bits < 1 || model->bits > 4)
		return reject(reader, "it has %d bits a dimension", model->bits);
	if (model->dims < 1 || model->dims > HX_MAX_DENSE)
		return reject(reader, "it has %u dimensions", model->dims);
	if (model->views < 1 || model->views > HX_MAX_VIEWS)
		return reject(reader, "it has %u views", model->views);
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
	if (model->family == HX_DEEP)
	{
		found = take_section(reader, "deep", &section);
		if (found > 0)
			return reject(reader, "its layers are missing");
		if (found < 0 || take_deep(&section, model) != 0 ||
			end_section(&section) != 0)
			return -1;
	}
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
