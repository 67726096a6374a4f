/*
 * aggregate.c
 *	  The aggregate hashemb_train: from rows to what a method needs.
 *
 * Rows are turned into floats as they come.  A method that wants rows gets a
 * sample that is chosen by the seed (reservoir sampling), of a size that fits
 * maintenance_work_mem; one that wants sums gets them over all rows, added up
 * batch by batch.  The same rows in the same order give the same model.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "encoder/model/apply.h"
#include "encoder/model/input.h"
#include "encoder/math/matrix.h"
#include "encoder/train/spec.h"
#include "encoder/train/aggregate.h"
#include "type/bincode.h"
#include "type/dense.h"
#include "type/aggregate.h"

/* Rows kept by default, and the share of memory that they may take */
#define DEFAULT_SAMPLE 20000
#define SAMPLE_SHARE 0.6

/* Sparse vectors of more dimensions are hashed, to this many features */
#define MAX_SPREAD 1024
#define DEFAULT_FEATURES 512
#define MOST_FEATURES 2048

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_train_step);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_train_final);

/*
 * Beginning
 */

/* What y is for a method; error if the method has no use for it */
static HxTarget
choose_target(const HxTraining *training, HxInputType kind)
{
	const HxMethod *method = training->method;
	static const HxTarget targets[] = {
		[HX_INPUT_REALS] = HX_Y_VECTOR, [HX_INPUT_INTS] = HX_Y_VECTOR,
		[HX_INPUT_SVEC] = HX_Y_VECTOR,	[HX_INPUT_CODE] = HX_Y_CODE,
		[HX_INPUT_LABEL] = HX_Y_LABEL,	[HX_INPUT_NUMBER] = HX_Y_NUMBER};
	HxTarget target = HX_Y_NONE;

	if (kind == HX_INPUT_INTS && (method->targets & 1u << HX_Y_LABELS))
		return HX_Y_LABELS;
	if (kind == HX_INPUT_LABEL && !(method->targets & 1u << HX_Y_LABEL) &&
		(method->targets & 1u << HX_Y_NUMBER))
		return HX_Y_NUMBER;
	if (kind < lengthof(targets))
		target = targets[kind];
	if (target == HX_Y_NONE)
		HxRejectType(training, 1, "a vector, a code, a label or a number");
	if (!(method->targets & 1u << target))
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("method \"%s\" has no use for y of type %s",
							   HxMethodName(method->id),
							   format_type_be(training->type[1]))));
	return target;
}

/* The kinds of x and y, which are the same for all rows */
static void
read_kinds(FunctionCallInfo fcinfo, HxTraining *training)
{
	HxTrainingPrivate *own = training->internal;
	bool has_y = PG_NARGS() > 3;

	for (int i = 0; i < 1 + has_y; i++)
	{
		training->type[i] = get_fn_expr_argtype(fcinfo->flinfo, 2 + i);
		if (OidIsValid(training->type[i]))
			training->type[i] = getBaseType(training->type[i]);
	}
	if (training->method->intake != NULL)
	{
		training->method->intake->start(training);
		return;
	}
	own->kind[0] = HxInputTypeOf(training->type[0]);
	if (own->kind[0] != HX_INPUT_REALS && own->kind[0] != HX_INPUT_INTS &&
		own->kind[0] != HX_INPUT_SVEC)
		HxRejectType(training, 0, "real[] or svec");
	if (!has_y)
	{
		if (!(training->method->targets & 1u << HX_Y_NONE))
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("method \"%s\" needs y",
								   HxMethodName(training->method->id))));
		return;
	}
	own->kind[1] = HxInputTypeOf(training->type[1]);
	training->target = choose_target(training, own->kind[1]);
}

/* Vectors are scaled as those that base was trained on. */
static void
follow_base(HxSpec *spec)
{
	bool normalized = spec->base->flags & HX_FLAG_NORMALIZE;

	if (spec->normalize && !normalized)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("\"base\" was trained without \"normalize\"")));
	spec->normalize = normalized;
}

/* Position of base, the encoder that a call may name beside the specification */
#define ARG_BASE 4

/*
 * The encoder in the argument base, NULL if there is none.  It stays as long as
 * HxModelArgument says.
 */
static const HxModel *
base_argument(FunctionCallInfo fcinfo)
{
	if (PG_NARGS() <= ARG_BASE || PG_ARGISNULL(ARG_BASE))
		return NULL;
	return HxModelArgument(fcinfo, ARG_BASE);
}

/* Error unless the method can go on from its base. */
static void
check_base(const HxTraining *training)
{
	unsigned families = training->method->bases;

	if (training->spec.base != NULL)
		HxRequireModel(training->spec.base,
					   families != 0 ? families : HX_VECTOR_FAMILIES, 0,
					   "weights that this method could begin with");
}

/* Take the base from its argument: a copy, since groups may have several. */
static void
take_base(FunctionCallInfo fcinfo, HxTraining *training)
{
	const HxModel *base = base_argument(fcinfo);

	if (base == NULL)
		return;
	if (training->spec.base != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"base\" is in the specification of training and an "
						"argument beside it")));
	HxRequireKey(training->method, "base");
	training->spec.base = HxLoadModel(PG_GETARG_DATUM(ARG_BASE));
}

/* The state, when the first row comes */
static HxTraining *
start_training(FunctionCallInfo fcinfo, MemoryContext aggregate)
{
	MemoryContext context = AllocSetContextCreate(aggregate, "hashemb training",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	HxTraining *training = palloc0(sizeof(HxTraining));
	HxTrainingPrivate *own = palloc0(sizeof(HxTrainingPrivate));
	Jsonb *json;

	if (PG_ARGISNULL(1))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("specification of training is null")));
	json = PG_GETARG_JSONB_P_COPY(1);
	training->context = context;
	training->internal = own;
	training->limit = (size_t) maintenance_work_mem * 1024;
	training->method = HxParseSpec(json, &training->spec);
	take_base(fcinfo, training);
	check_base(training);
	if (training->method->continues && training->spec.base != NULL)
		follow_base(&training->spec);
	own->row =
		AllocSetContextCreate(context, "hashemb row", ALLOCSET_DEFAULT_SIZES);
	hx_seed_random(&own->random, (uint64) training->spec.seed);
	read_kinds(fcinfo, training);
	MemoryContextSwitchTo(caller);
	return training;
}

/* Error unless this row has the specification and the base of the first. */
static void
check_spec(FunctionCallInfo fcinfo, const HxTraining *training)
{
	Jsonb *first = training->spec.json;
	Jsonb *json = PG_ARGISNULL(1) ? NULL : PG_GETARG_JSONB_P(1);

	if (json == NULL || VARSIZE(json) != VARSIZE(first) ||
		memcmp(json, first, VARSIZE(first)) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("specification of training differs between rows")));
	if (json != (Jsonb *) DatumGetPointer(PG_GETARG_DATUM(1)))
		pfree(json);
	if (PG_NARGS() > ARG_BASE)
	{
		const HxModel *base = base_argument(fcinfo);
		const HxModel *had = training->spec.base;

		if ((base == NULL) != (had == NULL) ||
			(base != NULL &&
			 (base->size != had->size ||
			  memcmp(base->bytes, had->bytes, HX_MODEL_HEADER) != 0)))
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("base of training differs between rows")));
	}
}

/*
 * Features of sparse vectors where the specification says nothing: a method that
 * chooses its ridge takes more, whose sums of products fill at most a quarter of
 * the memory.
 */
static int
choose_features(const HxTraining *training, int view)
{
	int features = DEFAULT_FEATURES;

	if (!training->method->chooses || view > 0)
		return features;
	while (features < MOST_FEATURES &&
		   4.0 * sizeof(double) * (2.0 * features) * (2.0 * features) <=
			   (double) training->limit)
		features *= 2;
	return features;
}

/* How vectors of a view enter, decided by its first */
static void
decide_width(HxTraining *training, int view, const HxInput *input)
{
	HxView *entrance = &training->internal->entrance[view];
	int features = training->spec.features;

	if (input->dims < 1)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("cannot train on vectors of no dimensions")));
	training->inputs[view] = input->dims;
	training->sparse[view] = input->sparse != NULL;
	if (input->sparse == NULL)
		features = 0;
	else if (features < 0 && training->method->continues &&
			 training->spec.base != NULL)
		features = (int) training->spec.base->view[0].features;
	else if (features < 0)
		features =
			input->dims > MAX_SPREAD ? choose_features(training, view) : 0;
	if (features == 0 && input->dims > HX_MAX_DENSE)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("cannot train on vectors of %d dimensions, the limit "
						"is %d",
						input->dims, HX_MAX_DENSE)));
	training->features[view] = features;
	training->width[view] = features > 0 ? features : input->dims;
	entrance->inputs = input->dims;
	entrance->features = features;
	/* views hash differently only where their dimensions mean other things */
	entrance->seed = (uint64) training->spec.seed;
	/* weights to train on are of features by base's hash */
	if (training->method->continues && training->spec.base != NULL)
		entrance->seed = training->spec.base->view[0].seed;
}

/* Read a vector into floats, at `to` */
static void
read_vector(HxTraining *training, int view, Datum value, float *to)
{
	HxTrainingPrivate *own = training->internal;
	HxInput input = HxReadInput(value, own->kind[view]);
	HxModel model = {0};
	double *numbers;
	double norm = 0.0;
	int width;

	if (training->inputs[view] != input.dims)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("vectors to train on differ in dimensions: %d "
							   "and %d",
							   training->inputs[view], input.dims)));
	model.view[view] = own->entrance[view];
	numbers = HxEnterView(&model, view, &input, &width);
	/* targets to fit keep their length */
	for (int i = 0; training->spec.normalize && i < width &&
					!(view > 0 && training->method->id == HX_METHOD_FIT);
		 i++)
		norm += numbers[i] * numbers[i];
	norm = norm > 0.0 ? sqrt(norm) : 1.0;
	for (int i = 0; i < width; i++)
	{
		to[i] = (float) (numbers[i] / norm);
		if (unlikely(!isfinite(to[i])))
			ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
							errmsg("vector is too large to train on")));
	}
}

/* Read a code into floats: the middles of its levels */
static void
read_code(HxTraining *training, Datum value, float *to)
{
	HxCode code = HxViewCode(value);
	double middle = (1 << (code.planes - 1)) - 0.5;

	(void) HxMatchShapes(training->width[1], training->target_bits, code.dims,
						 code.planes, "Codes to train on have one size.", NULL);
	for (int i = 0; i < code.dims; i++)
	{
		int level = 0;

		for (int p = 0; p < code.planes; p++)
			level = level << 1 | HxGetBit(code.data + p * code.plane_bytes, i);
		to[i] = (float) (level - middle);
	}
}

/* Dimensions of y, from the first that is not NULL */
static void
decide_target(HxTraining *training, Datum value)
{
	HxInput input;

	if (training->target == HX_Y_VECTOR)
	{
		input = HxReadInput(value, training->internal->kind[1]);
		decide_width(training, 1, &input);
	}
	else if (training->target == HX_Y_CODE)
	{
		HxCode code = HxViewCode(value);

		if (code.dims < 1 || code.dims > HX_MAX_DENSE)
			ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
							errmsg("cannot train on codes of %d dimensions, "
								   "expected 1 to %d",
								   code.dims, HX_MAX_DENSE)));
		training->inputs[1] = training->width[1] = code.dims;
		training->target_bits = code.planes;
	}
}

/*
 * Rows and sums
 */

/*
 * Decide how many rows are kept.  A view not yet seen is taken to be as wide as
 * the other.
 */
static void
decide_capacity(HxTraining *training)
{
	int x = training->width[0] > 0 ? training->width[0] : training->width[1];
	int y = HxFloatsOfY(training);
	size_t row =
		(x + Max(y, training->target == HX_Y_VECTOR ? x : 0)) * sizeof(float) +
		sizeof(double) + sizeof(int32) + 1;
	int capacity = training->spec.sample;

	if (training->method->keep == HX_KEEP_SUMS)
		capacity = HX_SUMS_BATCH;
	else if (capacity < 0)
	{
		double fits = (double) training->limit * SAMPLE_SHARE / (double) row;

		capacity = (int) Min(fits, DEFAULT_SAMPLE);
		capacity = Max(capacity, 100);
	}
	training->capacity = capacity;
	training->number = HxTrainAlloc(training, capacity, sizeof(double), "rows");
	training->class_of =
		HxTrainAlloc(training, capacity, sizeof(int32), "rows");
	training->present = HxTrainAlloc(training, capacity, 1, "rows");
}

/* Allocate what the rows of a view that is now known need */
static void
allocate_rows(HxTraining *training)
{
	if (training->capacity == 0)
		decide_capacity(training);
	if (training->x == NULL && training->width[0] > 0)
		training->x = HxTrainAlloc(training, training->capacity,
								   training->width[0] * sizeof(float), "rows");
	if (training->y == NULL && HxFloatsOfY(training) > 0)
		training->y =
			HxTrainAlloc(training, training->capacity,
						 HxFloatsOfY(training) * sizeof(float), "rows");
}

/* The place of the row that has come: in the sample, in the batch, or -1 */
static int
choose_place(HxTraining *training)
{
	HxTrainingPrivate *own = training->internal;
	uint64 place;

	training->seen++;
	if (training->method->keep == HX_KEEP_SUMS)
	{
		if (own->batch == HX_SUMS_BATCH)
			HxAddBatch(training);
		return own->batch++;
	}
	if (training->rows < training->capacity)
		return training->rows++;
	place = hx_random_below(&own->random, training->seen);
	return place < (uint64) training->capacity ? (int) place : -1;
}

/* A number of any type that may be one, finite */
static double
read_number(Datum value, Oid type)
{
	double number;

	switch (type)
	{
		case FLOAT4OID:
			number = DatumGetFloat4(value);
			break;
		case FLOAT8OID:
			number = DatumGetFloat8(value);
			break;
		case NUMERICOID:
			number = DatumGetFloat8(
				DirectFunctionCall1(numeric_float8_no_overflow, value));
			break;
		case INT8OID:
			number = (double) DatumGetInt64(value);
			break;
		case INT4OID:
			number = DatumGetInt32(value);
			break;
		case INT2OID:
			number = DatumGetInt16(value);
			break;
		default:
			number = DatumGetBool(value);
	}
	if (!isfinite(number))
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("cannot train on y = %g, expected finite "
							   "numbers",
							   number)));
	return number;
}

/* Keep y of a row at its place */
static void
keep_target(FunctionCallInfo fcinfo, HxTraining *training, int place)
{
	int64 labels[HX_MAX_LABELS];
	Oid type = get_fn_expr_argtype(fcinfo->flinfo, 3);
	Datum value = PG_GETARG_DATUM(3);
	float *y = training->y == NULL
				   ? NULL
				   : training->y + (size_t) place * HxFloatsOfY(training);
	int count;

	switch (training->target)
	{
		case HX_Y_VECTOR:
			read_vector(training, 1, value, y);
			break;
		case HX_Y_CODE:
			read_code(training, value, y);
			break;
		case HX_Y_LABEL:
		case HX_Y_LABELS:
			count = HxReadLabels(training, value, getBaseType(type), labels);
			training->class_of[place] = HxFindClass(training, labels, count);
			training->number[place] = (double) labels[0];
			break;
		case HX_Y_NUMBER:
			training->number[place] = read_number(value, getBaseType(type));
			break;
		default:
			elog(ERROR, "target %d has no value", (int) training->target);
	}
}

/* Has y a value in this row? */
static bool
has_target(FunctionCallInfo fcinfo)
{
	return PG_NARGS() > 3 && !PG_ARGISNULL(3);
}

/* Keep a row: x, y or both */
static void
keep_row(FunctionCallInfo fcinfo, HxTraining *training)
{
	bool has_x = !PG_ARGISNULL(2);
	bool has_y = has_target(fcinfo);
	int place;

	if (has_x && training->inputs[0] == 0)
	{
		HxInput input =
			HxReadInput(PG_GETARG_DATUM(2), training->internal->kind[0]);

		decide_width(training, 0, &input);
	}
	if (has_y && training->inputs[1] == 0)
		decide_target(training, PG_GETARG_DATUM(3));
	if ((has_x && training->x == NULL) || training->capacity == 0 ||
		(has_y && training->y == NULL))
		allocate_rows(training);
	place = choose_place(training);
	if (place < 0)
		return;
	training->present[place] = (has_x ? 1 : 0) | (has_y ? 2 : 0);
	training->class_of[place] = -1;
	if (has_x)
		read_vector(training, 0, PG_GETARG_DATUM(2),
					training->x + (size_t) place * training->width[0]);
	if (has_y)
		keep_target(fcinfo, training, place);
	if (training->method->chooses && !training->spec.has_lambda)
		HxHoldRow(training, place);
}

/* Let the method take in a row of its own kind. */
static void
take_row(FunctionCallInfo fcinfo, HxTraining *training)
{
	Datum values[2] = {PG_GETARG_DATUM(2), 0};

	if (has_target(fcinfo))
		values[1] = PG_GETARG_DATUM(3);
	training->method->intake->row(training, values);
}

/* Is the row one to learn from: has it what the method needs? */
static bool
is_complete(FunctionCallInfo fcinfo, const HxTraining *training)
{
	bool unpaired = training->method->unpaired && PG_NARGS() > 3;

	if (unpaired)
		return !PG_ARGISNULL(2) || has_target(fcinfo);
	return !PG_ARGISNULL(2) && (PG_NARGS() <= 3 || has_target(fcinfo));
}

/*
 * SQL functions
 */

/* hashemb_train's transition: state, spec, x [, y [, base]] */
Datum
hx_train_step(PG_FUNCTION_ARGS)
{
	MemoryContext aggregate = HxAggregateContext(fcinfo);
	MemoryContext caller;
	HxTraining *training;

	if (PG_ARGISNULL(0))
		training = start_training(fcinfo, aggregate);
	else
	{
		training = (HxTraining *) PG_GETARG_POINTER(0);
		check_spec(fcinfo, training);
	}
	if (!is_complete(fcinfo, training))
		PG_RETURN_POINTER(training);

	caller = MemoryContextSwitchTo(training->internal->row);
	if (training->method->intake != NULL)
		take_row(fcinfo, training);
	else
		keep_row(fcinfo, training);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(training->internal->row);
	PG_RETURN_POINTER(training);
}

/* hashemb_train's result: a model, or NULL of no rows */
Datum
hx_train_final(PG_FUNCTION_ARGS)
{
	HxTraining *training;
	MemoryContext caller;
	struct varlena *model;
	HxDraft draft;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	training = (HxTraining *) PG_GETARG_POINTER(0);
	if (training->seen == 0 && training->method->needs_rows)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("method \"%s\" has nothing to learn from: every "
							   "row has a NULL",
							   HxMethodName(training->method->id))));
	if (training->seen == 0)
		PG_RETURN_NULL();
	caller = MemoryContextSwitchTo(training->context);
	if (training->method->keep == HX_KEEP_SUMS)
		HxAddBatch(training);
	HxSortClasses(training);
	memset(&draft, 0, sizeof(draft));
	training->method->train(training, &draft);
	MemoryContextSwitchTo(caller);
	model = HxWriteModel(&draft);
	MemoryContextDelete(training->context);
	PG_RETURN_POINTER(model);
}
