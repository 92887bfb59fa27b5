/*
 * The parts that C cannot express: the reset vector, the switch to protected mode, the interrupt
 * entries, and the patchable script at its fixed offset.
 */
	.section .text.start, "ax", @progbits

/*
 * An x86 CPU starts at 0xFFFFFFF0: real mode, CS base 0xFFFF0000, selector F000.  QEMU also maps
 * the end of the image below 1 MiB, but bhyve does not (bootrom.c): a jump that loads CS in real
 * mode would end in RAM.  Therefore the code uses near jumps only until protected mode is on.
 */
	.code16
	.globl	start16
start16:
	cli
	cld
	lgdtl	%cs:(gdt_pointer - start16)
	movl	%cr0, %eax
	orl	$1, %eax
	movl	%eax, %cr0
	ljmpl	$0x08, $start32

	.code32
start32:
	movw	$0x10, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %fs
	movw	%ax, %gs
	movw	%ax, %ss
	movl	$stack_top, %esp

	/* Clears the variables, because RAM keeps its contents across a reset. */
	xorl	%eax, %eax
	movl	$bss_start, %edi
	movl	$bss_words, %ecx
	rep stosl

	xorl	%ebp, %ebp
	call	guest_main
1:	cli
	hlt
	jmp	1b

/*
 * The timer's interrupt.  It returns by ret and not by iret: on hosts without unrestricted guests
 * KVM emulates code without paging, and its emulator has no protected mode iret.  The code restores
 * EFLAGS itself, except IF: interrupts are off after an interrupt.
 */
	.globl	tick_entry
tick_entry:
	pushl	%eax
	incl	clock_ticks
	movb	$0x20, %al		/* end of interrupt, to the first 8259 */
	outb	%al, $0x20
	popl	%eax
	.globl	spurious_entry
spurious_entry:
	andl	$~0x200, 8(%esp)	/* EIP, CS, EFLAGS */
	pushl	8(%esp)
	popfl
	ret	$8

/* Compilers may call these even in freestanding code, and may turn a C version into a call. */
	.globl	memset
memset:
	pushl	%edi
	movl	8(%esp), %edi
	movl	12(%esp), %eax
	movl	16(%esp), %ecx
	rep stosb
	movl	8(%esp), %eax
	popl	%edi
	ret

	.globl	memcpy
memcpy:
	pushl	%edi
	pushl	%esi
	movl	12(%esp), %edi
	movl	16(%esp), %esi
	movl	20(%esp), %ecx
	movl	%edi, %eax
	rep movsb
	popl	%esi
	popl	%edi
	ret

/*
 * The Accessed bits are set beforehand: a CPU sets a clear bit, but this table is in read-only
 * memory (on bhyve the write would be an EPT violation).
 */
	.balign	8
gdt:
	.quad	0
	.quad	0x00cf9b000000ffff	/* 0x08: code, flat, 32-bit */
	.quad	0x00cf93000000ffff	/* 0x10: data, flat, 32-bit */
gdt_pointer:
	.word	. - gdt - 1
	.long	gdt

/* File offset 0xFF80: a marker of 16 bytes, then the script, 48 bytes padded with zeros. */
	.section .script, "a", @progbits
	.ascii	"VMRUN-ROM-SCRIPT"
	.globl	rom_script
rom_script:
	.ascii	"a"
	.org	64, 0

	.section .reset, "ax", @progbits
	.code16
	.globl	reset_vector
reset_vector:
	jmp	start16
	.org	15, 0			/* not 16: see finish.cmake */

	.section .note.GNU-stack, "", @progbits
