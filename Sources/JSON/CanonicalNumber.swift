import ASCII

/// Numbers in the one spelling of RFC 8785 section 3.2.2.3, which is that of ECMAScript (section 6.1.6.1.20).
enum CanonicalNumber {
    /// Appends a number, or one of the three literals, which have one spelling.
    static func append(_ source: Span<UInt8>, to text: inout [UInt8]) {
        guard let first = source.indices.first, isNumber(source[first]) else {
            return append(asWritten: source, to: &text)
        }
        if source.count < 16, isInteger(source) { return append(asWritten: source, to: &text) }
        guard let value = Double(String(decoding: source.copied, as: UTF8.self)), value.isFinite,
            isHeld(source, by: value)
        else { return append(asWritten: source, to: &text) }
        text += spelling(of: value)
    }

    private static func isNumber(_ first: UInt8) -> Bool { first.isDigit || first == UInt8(ascii: "-") }

    private static func append(asWritten source: Span<UInt8>, to text: inout [UInt8]) {
        for index in source.indices { text.append(source[index]) }
    }

    /// Whether this is digits alone, perhaps behind a minus; `-0` is not, whose spelling is `0`.
    private static func isInteger(_ source: Span<UInt8>) -> Bool {
        let start = source[0] == UInt8(ascii: "-") ? 1 : 0
        guard source.count > start, source.count == 1 || source[start] != UInt8(ascii: "0") else { return false }
        for index in start..<source.count where !source[index].isDigit { return false }
        return true
    }

    /// Whether a double is as good as what is written: there are at most 15 significant digits, or exactly those that the
    /// double has.
    private static func isHeld(_ source: Span<UInt8>, by value: Double) -> Bool {
        let digits = significantDigits(source)
        guard value != 0 else { return digits.isEmpty }
        // Below this, doubles have fewer digits.
        guard abs(value) >= Double.leastNormalMagnitude else { return false }
        return digits.count <= 15 || digits == shortest(abs(value)).digits
    }

    /// The digits of a number without zeros at either end.
    private static func significantDigits(_ source: Span<UInt8>) -> [UInt8] {
        var digits: [UInt8] = []
        for index in source.indices {
            let byte = source[index]
            if byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E") { break }
            if byte.isDigit, !digits.isEmpty || byte != UInt8(ascii: "0") { digits.append(byte) }
        }
        while digits.last == UInt8(ascii: "0") { digits.removeLast() }
        return digits
    }

    /// ECMAScript's text of a finite number.
    static func spelling(of value: Double) -> [UInt8] {
        if value == 0 { return [UInt8(ascii: "0")] }
        let (digits, exponent) = shortest(abs(value))
        let sign: [UInt8] = value < 0 ? [UInt8(ascii: "-")] : []
        let count = digits.count
        if count <= exponent, exponent <= 21 {
            return sign + digits + Array(repeating: UInt8(ascii: "0"), count: exponent - count)
        }
        if 0 < exponent, exponent <= 21 {
            return sign + digits[..<exponent] + [UInt8(ascii: ".")] + digits[exponent...]
        }
        if -6 < exponent, exponent <= 0 {
            return sign + Array("0.".utf8) + Array(repeating: UInt8(ascii: "0"), count: -exponent) + digits
        }
        let power = exponent - 1
        let fraction = count == 1 ? [] : [UInt8(ascii: ".")] + Array(digits[1...])
        return sign + [digits[0]] + fraction + Array("e\(power < 0 ? "-" : "+")\(abs(power))".utf8)
    }

    /// The fewest digits that read as this number, which is positive, and where its point stands: 0.digits times ten to the
    /// exponent. Swift's own text has the same digits, with the point and the exponent elsewhere.
    private static func shortest(_ value: Double) -> (digits: [UInt8], exponent: Int) {
        var digits: [UInt8] = []
        var point: Int?
        var power = 0
        let text = Array(value.description.utf8)
        for (index, byte) in text.enumerated() {
            if byte == UInt8(ascii: "e") {
                power = Int(String(decoding: text[(index + 1)...], as: UTF8.self)) ?? 0
                break
            }
            if byte == UInt8(ascii: ".") { point = digits.count } else { digits.append(byte) }
        }
        var exponent = (point ?? digits.count) + power
        while digits.count > 1, digits[0] == UInt8(ascii: "0") {
            digits.removeFirst()
            exponent -= 1
        }
        while digits.count > 1, digits.last == UInt8(ascii: "0") { digits.removeLast() }
        return (digits, exponent)
    }
}
