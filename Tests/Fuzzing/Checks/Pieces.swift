/// The ways in which an input is cut to pieces.
enum Pieces {
    /// The input without its first byte, and the size of pieces that the byte stands for.
    static func cut(_ input: [UInt8]) -> (size: Int, selector: UInt8, bytes: [UInt8]) {
        guard let selector = input.first else { return (1, 0, []) }
        return (1 + Int(selector >> 3), selector, Array(input.dropFirst()))
    }

    /// The bytes in pieces of a size.
    static func of(_ bytes: [UInt8], size: Int) -> [[UInt8]] {
        stride(from: 0, to: bytes.count, by: size).map { Array(bytes[$0..<min($0 + size, bytes.count)]) }
    }
}

/// The bytes as Latin-1, in which every byte is a character.
func latin1(_ bytes: some Sequence<UInt8>) -> String {
    String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
}
