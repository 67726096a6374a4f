/*
 * input.c
 *	  Reading vectors for training and encoding.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"

#include "encoder/model/apply.h"
#include "encoder/model/input.h"
#include "type/bincode.h"
#include "type/dense.h"

/* Their addresses tell our types, whatever their schema and name */
extern PGDLLEXPORT Datum hx_svec_in(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum hx_bincode_in(PG_FUNCTION_ARGS);

/* Kind of a type that is none of the server's own: by its input function */
static HxInputType
kind_of_ours(Oid type)
{
	Oid input;
	Oid parameter;
	FmgrInfo function;

	if (get_typtype(type) != TYPTYPE_BASE)
		return HX_INPUT_OTHER;
	getTypeInputInfo(type, &input, &parameter);
	fmgr_info(input, &function);
	if (function.fn_addr == hx_svec_in)
		return HX_INPUT_SVEC;
	if (function.fn_addr == hx_bincode_in)
		return HX_INPUT_CODE;
	return HX_INPUT_OTHER;
}

HxInputType
HxInputTypeOf(Oid type)
{
	type = getBaseType(type);
	switch (type)
	{
		case FLOAT4ARRAYOID:
		case FLOAT8ARRAYOID:
		case NUMERICARRAYOID:
			return HX_INPUT_REALS;
		case INT4ARRAYOID:
			return HX_INPUT_INTS;
		case BOOLOID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
			return HX_INPUT_LABEL;
		case FLOAT4OID:
		case FLOAT8OID:
		case NUMERICOID:
			return HX_INPUT_NUMBER;
		case TEXTOID:
		case UNKNOWNOID:
			return HX_INPUT_TEXT;
		default:
			return kind_of_ours(type);
	}
}

/*
 * The vector of an array, rounded to real: drivers send as double precision or
 * text what is stored as real, and the codes of both should be one.
 */
static HxInput
read_array(ArrayType *array)
{
	HxInput input = {0};

	input.dense = HxReadArray(array, &input.dims);
	if (ARR_ELEMTYPE(array) == FLOAT4OID)
		return input;
	for (int i = 0; i < input.dims; i++)
	{
		float rounded = (float) input.dense[i];

		if (unlikely(isinf(rounded)))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("element %d of array is %g, but a vector to encode "
							"is limited to the range of real",
							i + 1, input.dense[i])));
		input.dense[i] = rounded;
	}
	return input;
}

/*
 * The vector of an untyped literal or parameter: an array, or, with a number
 * of dimensions behind a slash, a sparse vector.
 */
static HxInput
read_text(const char *text)
{
	HxInput input = {0};
	Oid function;
	Oid element;

	if (strchr(text, '/') != NULL)
	{
		input.sparse = (HxSvec *) DatumGetPointer(DirectFunctionCall3(
			hx_svec_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid),
			Int32GetDatum(-1)));
		input.dims = input.sparse->dims;
		return input;
	}
	getTypeInputInfo(FLOAT8ARRAYOID, &function, &element);
	return read_array(DatumGetArrayTypeP(
		OidInputFunctionCall(function, (char *) text, element, -1)));
}

HxInput
HxReadInput(Datum value, HxInputType kind)
{
	HxInput input = {0};

	switch (kind)
	{
		case HX_INPUT_REALS:
		case HX_INPUT_INTS:
			return read_array(DatumGetArrayTypeP(value));
		case HX_INPUT_SVEC:
			input.sparse = DatumGetSvec(value);
			input.dims = input.sparse->dims;
			return input;
		case HX_INPUT_TEXT:
			return read_text(TextDatumGetCString(value));
		default:
			elog(ERROR, "value of kind %d is no vector", (int) kind);
	}
}

/* Error: the vector does not have the dimensions of the view. */
static void
reject_dims(const HxModel *model, int view, const HxInput *input)
{
	ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
					errmsg("vector has %d dimensions, but the encoder takes %u",
						   input->dims, model->view[view].inputs)));
}

/* A sparse vector as a dense one */
static double *
spread(const HxSvec *sparse)
{
	double *dense = palloc0(Max(sparse->dims, 1) * sizeof(double));
	const float *weights = HxSvecWeights(sparse);

	for (int i = 0; i < sparse->nnz; i++)
		dense[sparse->indices[i]] = weights[i];
	return dense;
}

double *
HxEnterView(const HxModel *model, int number, const HxInput *input, int *width)
{
	const HxView *view = &model->view[number];
	double *features;

	*width = input->dims;
	if (view->features > 0)
	{
		if (input->dims != view->inputs)
			reject_dims(model, number, input);
		if (input->sparse == NULL)
			ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
							errmsg("encoder takes sparse vectors, not arrays"),
							errhint("Cast the array to svec.")));
		*width = (int) view->features;
		features = palloc0(*width * sizeof(double));
		hx_hash_features(view, input->sparse->indices,
						 HxSvecWeights(input->sparse), input->sparse->nnz,
						 features);
		return features;
	}
	if (input->dims != view->inputs)
	{
		if (!(model->flags & HX_FLAG_PREFIXES) || input->dims < 1 ||
			input->dims > view->inputs)
			reject_dims(model, number, input);
	}
	return input->sparse != NULL ? spread(input->sparse) : input->dense;
}

double *
HxEnterBooks(const HxModel *model, Datum value, HxInputType kind)
{
	HxInput input = HxReadInput(value, kind);
	double *y = palloc(hx_output_width(model) * sizeof(double));
	int width;
	double *x = HxEnterView(model, 0, &input, &width);

	Assert(model->family == HX_CODEBOOK);
	(void) hx_apply_model(model, 0, x, (uint32_t) width,
						  palloc(hx_scratch_size(model)), y);
	return y;
}

ArrayType *
HxMakeReals(const double *numbers, int count)
{
	Datum *elements = palloc(count * sizeof(Datum));

	for (int i = 0; i < count; i++)
	{
		float4 rounded = (float4) numbers[i];

		if (!isfinite(rounded))
			ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
							errmsg("projection %g is out of the range of real",
								   numbers[i])));
		elements[i] = Float4GetDatum(rounded);
	}
	return construct_array(elements, count, FLOAT4OID, sizeof(float4), true,
						   TYPALIGN_INT);
}
