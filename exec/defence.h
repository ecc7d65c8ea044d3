#ifndef EXEC_DEFENCE_H
#define EXEC_DEFENCE_H

/*
 * 1, and in a program built with -DMUTATE_NAME 0: make mutate takes defences
 * away, one at a time, and expects the test that is named beside each in
 * tests/attack/mutations to fail. To the compiler it is a constant.
 */
#define DEFENCE(name) DEFENCE_OF(MUTATE_##name)

/* What is defined as 1 makes of one argument two. */
#define DEFENCE_OF(value) DEFENCE_MARK(value)
#define DEFENCE_MARK(value) DEFENCE_CHOOSE(DEFENCE_GONE_##value)
#define DEFENCE_GONE_1 1,
#define DEFENCE_CHOOSE(mark) DEFENCE_SECOND(mark 0, 1, 0)
#define DEFENCE_SECOND(first, second, ...) second

#endif
