#include "errors.h"

const struct error_row error_rows[ERROR_MAX] = {
	[ERROR_BAD_REQUEST] = { 400, "bad_request" },
	[ERROR_NOT_JSON] = { 400, "not_json" },
	[ERROR_DUPLICATE_KEY] = { 400, "duplicate_key" },
	[ERROR_NUL_IN_STRING] = { 400, "nul_in_string" },
	[ERROR_TOO_DEEP] = { 400, "too_deep" },
	[ERROR_UNAUTHORIZED] = { 401, "unauthorized" },
	[ERROR_FORBIDDEN] = { 403, "forbidden" },
	[ERROR_NOT_FOUND] = { 404, "not_found" },
	[ERROR_METHOD_NOT_ALLOWED] = { 405, "method_not_allowed" },
	[ERROR_TIMEOUT] = { 408, "timeout" },
	[ERROR_SESSION_BUSY] = { 409, "session_busy" },
	[ERROR_IMAGE_BUSY] = { 409, "image_busy" },
	[ERROR_BODY_TOO_LARGE] = { 413, "body_too_large" },
	[ERROR_TARGET_TOO_LONG] = { 414, "target_too_long" },
	[ERROR_UNSUPPORTED_MEDIA_TYPE] = { 415, "unsupported_media_type" },
	[ERROR_EXPECTATION_FAILED] = { 417, "expectation_failed" },
	[ERROR_INVALID_FIELD] = { 422, "invalid_field" },
	[ERROR_HEAD_TOO_LARGE] = { 431, "head_too_large" },
	[ERROR_SANDBOX_FAILED] = { 500, "sandbox_failed" },
	[ERROR_BAD_CONFIGURATION] = { 500, "bad_configuration" },
	[ERROR_PULL_FAILED] = { 502, "pull_failed" },
	[ERROR_TOO_MANY_RUNS] = { 503, "too_many_runs" },
	[ERROR_TOO_MANY_SESSIONS] = { 503, "too_many_sessions" },
	[ERROR_TOO_MANY_SNAPSHOTS] = { 503, "too_many_snapshots" },
	[ERROR_TOO_MANY_PULLS] = { 503, "too_many_pulls" },
	[ERROR_HTTP_VERSION] = { 505, "http_version" },
};

enum error
error_of_status(int status)
{
	for (int e = 0; e < ERROR_MAX; e++) {
		if (error_rows[e].status == status)
			return (enum error)e;
	}
	return ERROR_BAD_REQUEST;
}
