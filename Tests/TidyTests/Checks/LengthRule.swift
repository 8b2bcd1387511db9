/// Files and functions stay short enough to be read at once.
enum LengthRule {
    static let fileLines = 400
    static let functionLines = 70

    static func longFiles(_ files: [SourceFile], limit: Int = fileLines) -> [Offence] {
        files.filter { $0.lines.count > limit }.map { file in
            Offence(path: file.path, line: file.lines.count, what: "\(file.lines.count) lines, \(limit) are allowed")
        }
    }

    static func longFunctions(_ files: [SourceFile], limit: Int = functionLines) -> [Offence] {
        files.flatMap { file in
            functions(of: file).filter { $0.lines > limit }.map { function in
                file.offence(function.start, "\(function.name) has \(function.lines) lines, \(limit) are allowed")
            }
        }
    }

    struct Function {
        let name: String
        /// Index of the line it begins in.
        let start: Int
        let lines: Int
    }

    private static let keywords: Set<String> = ["func", "init", "deinit", "subscript"]

    /// Functions, initialisers and subscripts with a body, nested ones too; by counting braces.
    static func functions(of file: SourceFile) -> [Function] {
        var found: [Function] = []
        var open: [(name: String, start: Int)?] = []
        var pending: (name: String, start: Int, depth: Int)?
        var parentheses = 0
        for (index, line) in file.code.enumerated() {
            for token in Tokens(line) {
                switch token {
                case "(", "[": parentheses += 1
                case ")", "]": parentheses -= 1
                case "{":
                    let isBody = pending?.depth == parentheses
                    open.append(isBody ? pending.map { ($0.name, $0.start) } : nil)
                    if isBody { pending = nil }
                case "}":
                    // A requirement of a protocol has no body.
                    if pending?.depth == parentheses { pending = nil }
                    if let function = open.popLast() ?? nil {
                        let lines = index - function.start + 1
                        found.append(Function(name: function.name, start: function.start, lines: lines))
                    }
                case _ where keywords.contains(token):
                    pending = (token, index, parentheses)
                default:
                    if pending?.name == "func" { pending?.name = token }
                }
            }
        }
        return found
    }
}

/// The names and the punctuation of one line of code. The name after a dot is left out: `.init` declares nothing.
struct Tokens: Sequence, IteratorProtocol {
    private let bytes: [UInt8]
    private var position = 0

    init(_ line: String) {
        bytes = Array(line.utf8)
    }

    static func isName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }

    mutating func next() -> String? {
        var isMember = false
        while position < bytes.count {
            let start = position
            position += 1
            guard Tokens.isName(bytes[start]) else {
                isMember = bytes[start] == UInt8(ascii: ".")
                guard bytes[start] != UInt8(ascii: " "), !isMember else { continue }
                return String(decoding: bytes[start..<position], as: UTF8.self)
            }
            while position < bytes.count, Tokens.isName(bytes[position]) { position += 1 }
            if isMember {
                isMember = false
                continue
            }
            return String(decoding: bytes[start..<position], as: UTF8.self)
        }
        return nil
    }
}
