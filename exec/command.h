#ifndef EXEC_COMMAND_H
#define EXEC_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The subcommands of mayfly. argv[0] is the subcommand's name. Each returns
 * the exit status of the program.
 */
int run_main(int argc, char **argv);
int session_main(int argc, char **argv);
int snapshot_main(int argc, char **argv);
int reap_main(int argc, char **argv);
int doctor_main(int argc, char **argv);

/* Those that exec/ does not have: the program that links it brings them. */
int serve_main(int argc, char **argv);
int activate_main(int argc, char **argv);
int token_main(int argc, char **argv);
int image_main(int argc, char **argv);

/* `run` in the session whose id is argv[0]. */
int run_in_session(int argc, char **argv);

/*
 * Opens /dev/null where 0, 1 or 2 is closed: else pipes of ours would take
 * those numbers. Ends the program where it cannot.
 */
void command_fill_streams(void);

/* Was descriptor 0, 1 or 2 open when the program started? */
bool command_stream_given(int fd);

/* Is stderr within a line of somebody else's? The next complaint ends that. */
void command_begin_line(bool within);

/* Prints len bytes of text, with "?" for each control character. */
void command_print(const char *text, size_t len);

/* "mayfly: fmt" and a newline on stderr, all of it plain. */
void complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
