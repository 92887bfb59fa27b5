/* The floor of a start: the dynamic linker and the C library, and nothing else. */
int main(void)
{
	return 0;
}
