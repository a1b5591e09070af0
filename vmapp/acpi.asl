// SPDX-License-Identifier: GPL-2.0-only
/*
 * The machine as ACPI describes it. Registers of the fixed hardware are in the
 * FADT (acpi.c); interrupts go through the PIC pair, so there is no MADT.
 */

/*
 * The C preprocessor expands this before iasl compiles it.
 * Slot n, pin A is PIRQ (n - 1) mod 4; PIRQ A to D are IRQ 10, 10, 11, 11.
 */
#define PIN(slot, pin, irq)	Package () { slot ## FFFF, pin, 0, irq }
#define SLOT_A(slot) PIN(slot, 0, 10), PIN(slot, 1, 10), PIN(slot, 2, 11), PIN(slot, 3, 11)
#define SLOT_B(slot) PIN(slot, 0, 10), PIN(slot, 1, 11), PIN(slot, 2, 11), PIN(slot, 3, 10)
#define SLOT_C(slot) PIN(slot, 0, 11), PIN(slot, 1, 11), PIN(slot, 2, 10), PIN(slot, 3, 10)
#define SLOT_D(slot) PIN(slot, 0, 11), PIN(slot, 1, 10), PIN(slot, 2, 10), PIN(slot, 3, 11)

DefinitionBlock ("", "DSDT", 1, "WORLDS", "WSDSDT", 1)
{
	/* SLP_TYP 0 is soft-off, as on the PIIX4. */
	Name (\_S5, Package () { 0, 0, 0, 0 })

	/* _STA of the serial ports: acpi.c clears one that is not there. */
	Name (\HAS1, 0x0F)
	Name (\HAS2, 0x0F)
	Name (\HASP, 0x0F)

	Scope (\_SB)
	{
		Device (PCI0)
		{
			Name (_HID, EisaId ("PNP0A03"))
			Name (_BBN, 0)
			Name (_UID, 0)
			Name (_CRS, ResourceTemplate ()
			{
				WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode,
					0, 0, 0xFF, 0, 0x100)
				IO (Decode16, 0xCF8, 0xCF8, 1, 8)
				WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode,
					EntireRange, 0, 0, 0xCF7, 0, 0xCF8)
				WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode,
					EntireRange, 0, 0xD00, 0xFFFF, 0, 0xF300)
				DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
					Cacheable, ReadWrite, 0, 0xA0000, 0xBFFFF, 0, 0x20000)
				DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
					NonCacheable, ReadWrite, 0, 0xC0000000, 0xFEBFFFFF, 0,
					0x3EC00000)
			})
			Name (_PRT, Package ()
			{
				SLOT_A (0x0001), SLOT_B (0x0002), SLOT_C (0x0003), SLOT_D (0x0004),
				SLOT_A (0x0005), SLOT_B (0x0006), SLOT_C (0x0007), SLOT_D (0x0008),
				SLOT_A (0x0009), SLOT_B (0x000A), SLOT_C (0x000B), SLOT_D (0x000C),
				SLOT_A (0x000D), SLOT_B (0x000E), SLOT_C (0x000F), SLOT_D (0x0010),
				SLOT_A (0x0011), SLOT_B (0x0012), SLOT_C (0x0013), SLOT_D (0x0014),
				SLOT_A (0x0015), SLOT_B (0x0016), SLOT_C (0x0017), SLOT_D (0x0018),
				SLOT_A (0x0019), SLOT_B (0x001A), SLOT_C (0x001B), SLOT_D (0x001C),
				SLOT_A (0x001D), SLOT_B (0x001E), SLOT_C (0x001F)
			})

			Device (ISA)
			{
				Name (_ADR, 0x00010000)

				Device (PIC)
				{
					Name (_HID, EisaId ("PNP0000"))
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x20, 0x20, 1, 2)
						IO (Decode16, 0xA0, 0xA0, 1, 2)
						IO (Decode16, 0x4D0, 0x4D0, 1, 2)
						IRQNoFlags () {2}
					})
				}
				Device (TIMR)
				{
					Name (_HID, EisaId ("PNP0100"))
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x40, 0x40, 1, 4)
						IRQNoFlags () {0}
					})
				}
				Device (RTC)
				{
					Name (_HID, EisaId ("PNP0B00"))
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x70, 0x70, 1, 2)
						IRQNoFlags () {8}
					})
				}
				Device (KBD)
				{
					Name (_HID, EisaId ("PNP0303"))
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x60, 0x60, 1, 1)
						IO (Decode16, 0x64, 0x64, 1, 1)
						IRQNoFlags () {1}
					})
				}
				Device (MOU)
				{
					Name (_HID, EisaId ("PNP0F13"))
					Name (_CRS, ResourceTemplate () { IRQNoFlags () {12} })
				}
				/* Of the ISA bus itself: what no driver may take. */
				Device (MISC)
				{
					Name (_HID, EisaId ("PNP0C02"))
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x61, 0x61, 1, 1)
						IO (Decode16, 0x80, 0x80, 1, 1)
						IO (Decode16, 0x92, 0x92, 1, 1)
						IO (Decode16, 0x600, 0x600, 1, 0x0C)
					})
				}
				Device (COM1)
				{
					Name (_HID, EisaId ("PNP0501"))
					Name (_UID, 1)
					Method (_STA) { Return (HAS1) }
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x3F8, 0x3F8, 1, 8)
						IRQNoFlags () {4}
					})
				}
				Device (COM2)
				{
					Name (_HID, EisaId ("PNP0501"))
					Name (_UID, 2)
					Method (_STA) { Return (HAS2) }
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x2F8, 0x2F8, 1, 8)
						IRQNoFlags () {3}
					})
				}
				Device (LPT1)
				{
					Name (_HID, EisaId ("PNP0400"))
					Name (_UID, 1)
					Method (_STA) { Return (HASP) }
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x378, 0x378, 1, 3)
						IRQNoFlags () {7}
					})
				}
			}
		}
	}
}
