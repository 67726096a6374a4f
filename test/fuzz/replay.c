/*
 * replay.c
 *	  A main for targets of libFuzzer: runs files, as its own main does with
 *	  names of files.
 *
 *	replay FILE...
 *
 * For compilers without libFuzzer; build with the sanitizers.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Largest file; those of a corpus have some hundred bytes */
#define MAX_FILE 1000000

extern int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Run one file, from memory of exactly its size; 0 if it can be read */
static int
run_file(const char *name)
{
	static uint8_t room[MAX_FILE];
	FILE *file = fopen(name, "rb");
	size_t size;
	uint8_t *bytes;

	if (file == NULL)
	{
		perror(name);
		return 1;
	}
	size = fread(room, 1, MAX_FILE, file);
	fclose(file);
	bytes = malloc(size ? size : 1);
	for (size_t i = 0; i < size; i++)
		bytes[i] = room[i];
	LLVMFuzzerTestOneInput(bytes, size);
	free(bytes);
	return 0;
}

int
main(int argc, char **argv)
{
	int unread = 0;

	for (int i = 1; i < argc; i++)
		unread += run_file(argv[i]);
	printf("%d passed, %d failed\n", argc - 1 - unread, unread);
	return unread || argc < 2 ? EXIT_FAILURE : EXIT_SUCCESS;
}
