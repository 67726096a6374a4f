/*
 * encode.c
 *	  SQL functions that compute with a model: encode, project, decode.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "encoder/model/apply.h"
#include "encoder/model/decode.h"
#include "encoder/model/input.h"
#include "encoder/model/model.h"
#include "kernel/kernel.h"
#include "type/bincode.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_encode_array);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_encode_array_as);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_encode_svec);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_encode_svec_as);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_encode_text);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_encode_text_as);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_project_array);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_project_array_as);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_project_svec);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_project_svec_as);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_project_text);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_project_text_as);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_decode);

/* Type of the third argument, if the function's name does not say it */
typedef enum Third
{
	VIEW_NUMBER, /* integer, or none */
	VIEW_NAME	 /* text: "query", or a number */
} Third;

/* The view of queries; error if the encoder has none */
static int
query_view(const HxModel *model)
{
	if (model->view[0].query == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("encoder has no view \"query\""),
				 errhint("Most encoders that are trained by \"random\", "
						 "\"pca\" or \"itq\" with \"center\" have one.")));
	return HX_VIEW_QUERY;
}

/*
 * The view that the third argument names, from 0, or HX_VIEW_QUERY; error if
 * there is none.  Parameters without a type come as text, also of numbers.
 */
static int
view_argument(FunctionCallInfo fcinfo, Third third, const HxModel *model)
{
	int view = 1;

	if (PG_NARGS() > 2 && third == VIEW_NUMBER)
		view = PG_GETARG_INT32(2);
	else if (PG_NARGS() > 2)
	{
		char *name = text_to_cstring(PG_GETARG_TEXT_PP(2));

		if (strcmp(name, "query") == 0)
			return query_view(model);
		if (strlen(name) < 1 || strspn(name, "0123456789") != strlen(name))
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("view \"%s\" is neither \"query\" nor a "
								   "number",
								   name)));
		view = pg_strtoint32(name);
	}
	if (view < 1 || view > (int) model->views)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("encoder has no view %d, only 1 to %u", view,
							   model->views)));
	return view - 1;
}

/* Output of the model in argument 0 for argument 1: *count numbers */
static double *
compute(FunctionCallInfo fcinfo, HxInputType kind, Third third,
		const HxModel **model, int *count, int *view)
{
	HxInput input;
	double *x;
	double *y;
	int width;

	*model = HxModelArgument(fcinfo, 0);
	*view = view_argument(fcinfo, third, *model);
	input = HxReadInput(PG_GETARG_DATUM(1), kind);
	x = HxEnterView(*model, *view == HX_VIEW_QUERY ? 0 : *view, &input, &width);
	y = palloc((*model)->dims * sizeof(double));
	*count = hx_apply_model(*model, *view, x, width,
							palloc(hx_scratch_size(*model)), y);
	if (*count < 0)
		ereport(
			ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg(
				 "vector has %d dimensions, but the encoder takes %u or "
				 "one of its prefixes",
				 input.dims,
				 (*model)->view[*view == HX_VIEW_QUERY ? 0 : *view].inputs)));
	return y;
}

/* Encode argument 1 with the model in argument 0 */
static Datum
encode(FunctionCallInfo fcinfo, HxInputType kind, Third third)
{
	const HxModel *model;
	int count;
	int view;
	double *y = compute(fcinfo, kind, third, &model, &count, &view);
	Bincode *code;

	if (model->output != HX_OUT_CODE)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("encoder makes vectors, not codes"),
						errhint("Use hashemb_project.")));
	if (view == HX_VIEW_QUERY)
		hx_fit_levels(y, (uint32_t) count, model->bits);
	code = HxNewBincode(count, model->bits);
	hx_kernels->steps->code(y, count, model->bits, code->data,
							HX_PLANE_BYTES(count));
	PG_RETURN_BINCODE(code);
}

/* hashemb_encode(model, array [, view]) */
Datum
hx_encode_array(PG_FUNCTION_ARGS)
{
	return encode(fcinfo, HX_INPUT_REALS, VIEW_NUMBER);
}

/* hashemb_encode(model, svec [, view]) */
Datum
hx_encode_svec(PG_FUNCTION_ARGS)
{
	return encode(fcinfo, HX_INPUT_SVEC, VIEW_NUMBER);
}

/* hashemb_encode(model, text [, view]): what untyped literals come to */
Datum
hx_encode_text(PG_FUNCTION_ARGS)
{
	return encode(fcinfo, HX_INPUT_TEXT, VIEW_NUMBER);
}

/* hashemb_encode(model, array, name of a view) */
Datum
hx_encode_array_as(PG_FUNCTION_ARGS)
{
	return encode(fcinfo, HX_INPUT_REALS, VIEW_NAME);
}

/* hashemb_encode(model, svec, name of a view) */
Datum
hx_encode_svec_as(PG_FUNCTION_ARGS)
{
	return encode(fcinfo, HX_INPUT_SVEC, VIEW_NAME);
}

/* hashemb_encode(model, text, name of a view) */
Datum
hx_encode_text_as(PG_FUNCTION_ARGS)
{
	return encode(fcinfo, HX_INPUT_TEXT, VIEW_NAME);
}

/* An array of real; error if a number is beyond its range */
static ArrayType *
make_array(const double *y, int count)
{
	Datum *elements = palloc(count * sizeof(Datum));

	for (int i = 0; i < count; i++)
	{
		float4 rounded = (float4) y[i];

		if (!isfinite(rounded))
			ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
							errmsg("projection %g is out of the range of real",
								   y[i])));
		elements[i] = Float4GetDatum(rounded);
	}
	return construct_array(elements, count, FLOAT4OID, sizeof(float4), true,
						   TYPALIGN_INT);
}

/* The numbers that encoding rounds to levels */
static Datum
project(FunctionCallInfo fcinfo, HxInputType kind, Third third)
{
	const HxModel *model;
	int count;
	int view;
	double *y = compute(fcinfo, kind, third, &model, &count, &view);

	PG_RETURN_ARRAYTYPE_P(make_array(y, count));
}

/* hashemb_project(model, array [, view]) */
Datum
hx_project_array(PG_FUNCTION_ARGS)
{
	return project(fcinfo, HX_INPUT_REALS, VIEW_NUMBER);
}

/* hashemb_project(model, svec [, view]) */
Datum
hx_project_svec(PG_FUNCTION_ARGS)
{
	return project(fcinfo, HX_INPUT_SVEC, VIEW_NUMBER);
}

/* hashemb_project(model, text [, view]): what untyped literals come to */
Datum
hx_project_text(PG_FUNCTION_ARGS)
{
	return project(fcinfo, HX_INPUT_TEXT, VIEW_NUMBER);
}

/* hashemb_project(model, array, name of a view) */
Datum
hx_project_array_as(PG_FUNCTION_ARGS)
{
	return project(fcinfo, HX_INPUT_REALS, VIEW_NAME);
}

/* hashemb_project(model, svec, name of a view) */
Datum
hx_project_svec_as(PG_FUNCTION_ARGS)
{
	return project(fcinfo, HX_INPUT_SVEC, VIEW_NAME);
}

/* hashemb_project(model, text, name of a view) */
Datum
hx_project_text_as(PG_FUNCTION_ARGS)
{
	return project(fcinfo, HX_INPUT_TEXT, VIEW_NAME);
}

/* Error unless the code is one that the model could have made */
static void
check_code(const HxModel *model, const HxCode *code)
{
	if (model->output != HX_OUT_CODE)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("encoder makes vectors, not codes")));
	(void) HxMatchShapes(
		code->dims, code->planes, (int) model->dims, model->bits,
		"The code is the first, the encoder makes the second.", NULL);
}

/*
 * hashemb_decode(model, code [, view]): a vector with that code, the nearest to
 * the centre
 */
Datum
hx_decode(PG_FUNCTION_ARGS)
{
	const HxModel *model = HxModelArgument(fcinfo, 0);
	HxCode code = PG_GETARG_CODE(1);
	int view = view_argument(fcinfo, VIEW_NUMBER, model);
	double middle = (double) (1 << (model->bits - 1)) - 0.5;
	double *y;
	double *x;

	check_code(model, &code);
	y = palloc(model->dims * sizeof(double));
	for (int i = 0; i < (int) model->dims; i++)
	{
		int level = 0;

		for (int p = 0; p < code.planes; p++)
			level = level << 1 | HxGetBit(code.data + p * code.plane_bytes, i);
		y[i] = level - middle;
	}
	x = HxDecodeView(model, view, y);
	PG_RETURN_ARRAYTYPE_P(
		make_array(x, (int) hx_view_width(&model->view[view])));
}
