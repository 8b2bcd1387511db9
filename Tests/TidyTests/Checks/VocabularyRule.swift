/// The field's words and no dialect, in names and in prose.
struct VocabularyRule {
    private var words: [String: [BannedWord]] = [:]
    private var names: [String: [BannedWord]] = [:]
    private var phrases: [BannedWord] = []
    private let allowed: [(word: String, path: String, reason: String)]

    init(
        _ banned: [BannedWord] = BannedWord.all,
        allowed: [(word: String, path: String, reason: String)] = BannedWord.allowed
    ) {
        self.allowed = allowed
        for word in banned {
            switch word.kind {
            case .word: words[word.text.lowercased(), default: []].append(word)
            case .name: names[word.text, default: []].append(word)
            case .phrase: phrases.append(word)
            }
        }
    }

    func offences(_ files: [SourceFile]) -> [Offence] {
        files.flatMap { file in
            file.lines.indices.flatMap { index in
                hits(file, index).filter { isBanned($0, file.path) }
                    .map { file.offence(index, "\"\($0.text)\": say \($0.instead)") }
            }
        }
    }

    private func hits(_ file: SourceFile, _ index: Int) -> [BannedWord] {
        let line = file.lines[index]
        var found: [BannedWord] = []
        for name in Names(line) {
            for part in Names.parts(of: name) { found += words[part] ?? [] }
            if let banned = words[name.lowercased()], Names.parts(of: name).count > 1 { found += banned }
        }
        for name in Names(file.code[index]) { found += names[name] ?? [] }
        if !phrases.isEmpty {
            let lowered = line.lowercased()
            found += phrases.filter { lowered.contains($0.text) }
        }
        return found
    }

    private func isBanned(_ word: BannedWord, _ path: String) -> Bool {
        guard word.within.isEmpty || word.within.contains(where: path.hasPrefix) else { return false }
        return !allowed.contains { $0.word == word.text && path.hasPrefix($0.path) }
    }
}

/// The names and words of a line.
struct Names: Sequence, IteratorProtocol {
    private let bytes: [UInt8]
    private var position = 0

    init(_ line: String) {
        bytes = Array(line.utf8)
    }

    mutating func next() -> String? {
        while position < bytes.count, !Tokens.isName(bytes[position]) { position += 1 }
        let start = position
        while position < bytes.count, Tokens.isName(bytes[position]) { position += 1 }
        return start < position ? String(decoding: bytes[start..<position], as: UTF8.self) : nil
    }

    /// `hasHTTPRoom2` is has, http, room.
    static func parts(of name: String) -> [String] {
        let bytes = Array(name.utf8)
        var parts: [String] = []
        var part: [UInt8] = []
        for (index, byte) in bytes.enumerated() {
            let isUpper = isUpperCase(byte)
            let endsAcronym = isUpper && index + 1 < bytes.count && isLowerCase(bytes[index + 1])
            if isUpper, let last = part.last, isLowerCase(last) || endsAcronym { close(&part, &parts) }
            if isUpper || isLowerCase(byte) {
                part.append(byte)
            } else {
                close(&part, &parts)
            }
        }
        close(&part, &parts)
        return parts
    }

    private static func close(_ part: inout [UInt8], _ parts: inout [String]) {
        if !part.isEmpty { parts.append(String(decoding: part, as: UTF8.self).lowercased()) }
        part.removeAll()
    }

    private static func isUpperCase(_ byte: UInt8) -> Bool { byte >= 0x41 && byte <= 0x5a }
    private static func isLowerCase(_ byte: UInt8) -> Bool { byte >= 0x61 && byte <= 0x7a }
}
