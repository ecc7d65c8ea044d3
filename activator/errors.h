#ifndef ACTIVATOR_ERRORS_H
#define ACTIVATOR_ERRORS_H

/* What the API answers where it refuses: one row each in error_rows[]. */
enum error {
	ERROR_BAD_REQUEST,
	ERROR_NOT_JSON,
	ERROR_DUPLICATE_KEY,
	ERROR_NUL_IN_STRING,
	ERROR_TOO_DEEP,
	ERROR_UNAUTHORIZED,
	ERROR_FORBIDDEN,
	ERROR_NOT_FOUND,
	ERROR_METHOD_NOT_ALLOWED,
	ERROR_TIMEOUT,
	ERROR_SESSION_BUSY,
	ERROR_IMAGE_BUSY,
	ERROR_BODY_TOO_LARGE,
	ERROR_TARGET_TOO_LONG,
	ERROR_UNSUPPORTED_MEDIA_TYPE,
	ERROR_EXPECTATION_FAILED,
	ERROR_INVALID_FIELD,
	ERROR_HEAD_TOO_LARGE,
	ERROR_SANDBOX_FAILED,
	ERROR_BAD_CONFIGURATION,
	ERROR_PULL_FAILED, /* in streams alone */
	ERROR_TOO_MANY_RUNS,
	ERROR_TOO_MANY_SESSIONS,
	ERROR_TOO_MANY_SNAPSHOTS,
	ERROR_TOO_MANY_PULLS,
	ERROR_HTTP_VERSION,
	ERROR_MAX
};

/* code: the word in the body; mayfly-api(7) says when. */
struct error_row {
	int status;
	const char *code;
};

extern const struct error_row error_rows[ERROR_MAX];

/* The first row of an HTTP status; ERROR_BAD_REQUEST where there is none. */
enum error error_of_status(int status);

#endif
