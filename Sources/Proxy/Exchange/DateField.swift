import Kernel
import Reactor

/// The line `date: Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 section 5.6.7), which a worker writes once a second.
struct DateField: ~Copyable {
    /// The whole line, CRLF included; empty before the first update.
    private(set) var line = ByteBuffer()
    private var validUntil: Instant?

    /// Whether a second has passed since the line was written.
    @inline(__always)
    func isOutdated(at now: Instant) -> Bool {
        guard let validUntil else { return true }
        return now >= validUntil
    }

    /// Writes the line for a time in seconds since 1970.
    @inline(never)
    mutating func update(at now: Instant, wallSeconds: UInt32) {
        validUntil = now + .seconds(1)
        let (days, second) = Int(wallSeconds).quotientAndRemainder(dividingBy: 86_400)
        let date = CivilDate(daysSince1970: days)
        line.clear()
        line.append("date: ")
        // 1970 began on a Thursday.
        append(Self.weekdays, (days + 4) % 7)
        line.append(", ")
        append(twoDigits: date.day)
        line.append(0x20)
        append(Self.months, date.month - 1)
        line.append(0x20)
        line.append(decimal: UInt64(date.year))
        line.append(0x20)
        append(twoDigits: second / 3_600)
        line.append(":")
        append(twoDigits: second / 60 % 60)
        line.append(":")
        append(twoDigits: second % 60)
        line.append(" GMT\r\n")
    }

    private static let weekdays: StaticString = "SunMonTueWedThuFriSat"
    private static let months: StaticString = "JanFebMarAprMayJunJulAugSepOctNovDec"

    /// Appends the name at `index` among names of three characters.
    private mutating func append(_ names: StaticString, _ index: Int) {
        for position in 3 * index..<3 * index + 3 { line.append((names.utf8Start + position).pointee) }
    }

    private mutating func append(twoDigits value: Int) {
        line.append(UInt8(truncatingIfNeeded: 0x30 + value / 10))
        line.append(UInt8(truncatingIfNeeded: 0x30 + value % 10))
    }
}

/// A date of the Gregorian calendar.
struct CivilDate: Equatable {
    let year: Int
    /// 1 to 12.
    let month: Int
    /// 1 to 31.
    let day: Int

    /// The date so many days, at least 0, after 1970-01-01. Years are counted from March, so that leap days come last.
    init(daysSince1970 days: Int) {
        // From 0000-03-01 there are 719,468 days to 1970-01-01, and 146,097 in each 400 years.
        let (cycle, dayOfCycle) = (days + 719_468).quotientAndRemainder(dividingBy: 146_097)
        let yearOfCycle = (dayOfCycle - dayOfCycle / 1_460 + dayOfCycle / 36_524 - dayOfCycle / 146_096) / 365
        let dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = 400 * cycle + yearOfCycle + (month <= 2 ? 1 : 0)
    }
}
