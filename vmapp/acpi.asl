// SPDX-License-Identifier: GPL-2.0-only
/*
 * The machine as ACPI describes it. Registers of the fixed hardware are in the
 * FADT (acpi.c); interrupts go through the PIC pair, so there is no MADT.
 */

/* The C preprocessor expands this before iasl compiles it. Slot n, pin A is PIRQ (n - 1) mod 4. */
#define PIN(slot, pin, link)	Package () { slot ## FFFF, pin, link, 0 }
#define SLOT_A(slot) PIN(slot, 0, LNKA), PIN(slot, 1, LNKB), PIN(slot, 2, LNKC), PIN(slot, 3, LNKD)
#define SLOT_B(slot) PIN(slot, 0, LNKB), PIN(slot, 1, LNKC), PIN(slot, 2, LNKD), PIN(slot, 3, LNKA)
#define SLOT_C(slot) PIN(slot, 0, LNKC), PIN(slot, 1, LNKD), PIN(slot, 2, LNKA), PIN(slot, 3, LNKB)
#define SLOT_D(slot) PIN(slot, 0, LNKD), PIN(slot, 1, LNKA), PIN(slot, 2, LNKB), PIN(slot, 3, LNKC)

/* A PIRQ, and the PIIX3's register that routes it; 5, 10 and 11 are nobody else's. */
#define LINK(name, uid, route)							\
	Device (name)								\
	{									\
		Name (_HID, EisaId ("PNP0C0F"))					\
		Name (_UID, uid)						\
		Name (_PRS, ResourceTemplate ()					\
		{								\
			IRQ (Level, ActiveLow, Shared) {5, 10, 11}		\
		})								\
		Name (NOW, ResourceTemplate ()					\
		{								\
			IRQ (Level, ActiveLow, Shared) {5}			\
		})								\
		CreateWordField (NOW, 1, MASK)					\
		Method (_STA)							\
		{								\
			If (route & 0x80) { Return (0x09) }			\
			Return (0x0B)						\
		}								\
		Method (_DIS) { route |= 0x80 }					\
		Method (_CRS, 0, Serialized)					\
		{								\
			MASK = 0						\
			If (!(route & 0x80)) { MASK = 1 << (route & 0x0F) }	\
			Return (NOW)						\
		}								\
		Method (_SRS, 1)						\
		{								\
			CreateWordField (Arg0, 1, WANT)				\
			FindSetRightBit (WANT, Local0)				\
			route = Local0 - 1					\
		}								\
	}

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
		LINK (LNKA, 1, \_SB.PCI0.ISA.RTEA)
		LINK (LNKB, 2, \_SB.PCI0.ISA.RTEB)
		LINK (LNKC, 3, \_SB.PCI0.ISA.RTEC)
		LINK (LNKD, 4, \_SB.PCI0.ISA.RTED)

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
				OperationRegion (ROUT, PCI_Config, 0x60, 4)
				Field (ROUT, ByteAcc, NoLock, Preserve)
				{
					RTEA, 8,
					RTEB, 8,
					RTEC, 8,
					RTED, 8
				}

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
