/// Times in lines. The text of a second is made once for all calls in it.
struct LogTime {
    private var second = UInt64.max
    private var year = 1970
    private var month = 1
    private var day = 1
    /// The internet form of the second, with a point behind it.
    private var internet: [UInt8] = []

    /// `2026-11-26T23:04:52.123456Z` (RFC 3339).
    mutating func append(internet nanoseconds: UInt64, to line: inout LogBuffer) {
        if nanoseconds / 1_000_000_000 != second || internet.isEmpty {
            advance(to: nanoseconds / 1_000_000_000)
            var text = LogBuffer()
            appendInternetSecond(to: &text)
            internet = Array(text.bytes)
        }
        line.append(internet)
        line.append(decimal: nanoseconds / 1_000 % 1_000_000, digits: 6)
        line.append(UInt8(ascii: "Z"))
    }

    private func appendInternetSecond(to line: inout LogBuffer) {
        line.append(decimal: UInt64(year), digits: 4)
        line.append(UInt8(ascii: "-"))
        line.append(decimal: UInt64(month), digits: 2)
        line.append(UInt8(ascii: "-"))
        line.append(decimal: UInt64(day), digits: 2)
        line.append(UInt8(ascii: "T"))
        appendClock(to: &line)
        line.append(UInt8(ascii: "."))
    }

    /// `26/Nov/2026:23:04:52 +0000`, as in the Common Log Format.
    mutating func append(common nanoseconds: UInt64, to line: inout LogBuffer) {
        advance(to: nanoseconds / 1_000_000_000)
        line.append(decimal: UInt64(day), digits: 2)
        line.append(UInt8(ascii: "/"))
        line.append(Self.months[month - 1])
        line.append(UInt8(ascii: "/"))
        line.append(decimal: UInt64(year), digits: 4)
        line.append(UInt8(ascii: ":"))
        appendClock(to: &line)
        line.append(" +0000")
    }

    /// `Nov 26 23:04:52`, as syslog daemons of this machine want it (RFC 3164 section 4.1.2), in UTC.
    mutating func append(syslog nanoseconds: UInt64, to line: inout LogBuffer) {
        advance(to: nanoseconds / 1_000_000_000)
        line.append(Self.months[month - 1])
        line.append(day < 10 ? "  " : " ")
        line.append(decimal: UInt64(day))
        line.append(UInt8(ascii: " "))
        appendClock(to: &line)
    }

    private static let months: [StaticString] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private func appendClock(to line: inout LogBuffer) {
        let time = second % 86_400
        line.append(decimal: time / 3_600, digits: 2)
        line.append(UInt8(ascii: ":"))
        line.append(decimal: time / 60 % 60, digits: 2)
        line.append(UInt8(ascii: ":"))
        line.append(decimal: time % 60, digits: 2)
    }

    /// The date of a day since 1970, in the Gregorian calendar: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
    private mutating func advance(to new: UInt64) {
        let isSameDay = second != .max && new / 86_400 == second / 86_400
        if new != second { internet = [] }
        second = new
        guard !isSameDay else { return }
        let days = Int(new / 86_400) + 719_468
        let (cycle, inCycle) = days.quotientAndRemainder(dividingBy: 146_097)
        let yearOfCycle = (inCycle - inCycle / 1_460 + inCycle / 36_524 - inCycle / 146_096) / 365
        let dayOfYear = inCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shifted + 2) / 5 + 1
        month = shifted < 10 ? shifted + 3 : shifted - 9
        year = yearOfCycle + cycle * 400 + (month <= 2 ? 1 : 0)
    }
}
