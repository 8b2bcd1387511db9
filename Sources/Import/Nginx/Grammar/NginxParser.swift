import Configuration

/// Reads an nginx configuration with the files that it includes into a tree of directives.
struct NginxParser {
    private let files: SourceFiles
    /// The folder of the first file: what nginx's relative paths begin at.
    private let folder: String
    private var statements = 0
    private var filesRead = 0
    private var bytesRead = 0

    private init(_ files: SourceFiles, folder: String) {
        self.files = files
        self.folder = folder
    }

    /// The directives of a file. Throws an error with its place if it cannot be read as nginx reads it, or if it is larger
    /// than `SourceLimits`.
    static func parse(
        _ bytes: [UInt8], file: String, files: SourceFiles
    ) throws(ConfigurationErrors) -> [NginxDirective] {
        var parser = NginxParser(files, folder: ImportPath.folder(of: file))
        return try parser.parse(bytes, file: file, depth: 0, blockDepth: 0)
    }

    private mutating func parse(
        _ bytes: [UInt8], file: String, depth: Int, blockDepth: Int
    ) throws(ConfigurationErrors) -> [NginxDirective] {
        let errors = SourceError(file: file, bytes: bytes)
        bytesRead += bytes.count
        guard bytes.count <= SourceLimits.fileBytes, bytesRead <= SourceLimits.bytes else {
            throw errors.whole("too large", because: "a configuration has at most 1 MiB a file and 4 MiB in all")
        }
        try errors.rejectNUL()
        var lexer = NginxLexer(bytes, file: file)
        var lines = LineCounter(bytes)
        return try block(&lexer, &lines, depth: depth, blockDepth: blockDepth, openedAt: nil)
    }

    /// The directives up to the closing brace; to the end of the file if no brace was opened.
    private mutating func block(
        _ lexer: inout NginxLexer, _ lines: inout LineCounter, depth: Int, blockDepth: Int, openedAt: Int?
    ) throws(ConfigurationErrors) -> [NginxDirective] {
        var directives: [NginxDirective] = []
        var words: [NginxLexer.Word] = []
        while true {
            switch try lexer.next() {
            case .word(let word):
                words.append(word)
                guard words.count <= SourceLimits.words else {
                    throw lexer.errors.at(
                        words[0].start, length: words[0].end - words[0].start, "this directive has too many words",
                        because: "a semicolon is probably missing; at most \(SourceLimits.words) are read")
                }
            case .semicolon(let offset):
                guard let first = words.first else {
                    throw lexer.errors.at(
                        offset, "unexpected \";\"", because: "no directive stands before it", help: "remove it")
                }
                let directive = try directive(words, lexer, &lines, end: offset + 1)
                directives.append(directive)
                if directive.name == "include", !first.isQuoted {
                    let place = directives.count - 1
                    let found = try include(&directives[place], lexer, first.start, depth, blockDepth)
                    directives += found
                }
                words = []
            case .open(let offset):
                directives.append(try inner(words, &lexer, &lines, offset, depth, blockDepth))
                words = []
            case .close(let offset):
                try close(lexer, words, at: offset, isOpen: openedAt != nil)
                return directives
            case .end:
                try end(lexer, words, openedAt)
                return directives
            }
        }
    }

    private func close(
        _ lexer: NginxLexer, _ words: [NginxLexer.Word], at offset: Int, isOpen: Bool
    ) throws(ConfigurationErrors) {
        if let last = words.last {
            throw lexer.errors.at(
                last.end, "there is no \";\" before the \"}\"",
                because: "the directive \(TOMLText.quoted(words[0].text)) is not ended", help: "write \";\" here")
        }
        guard isOpen else {
            throw lexer.errors.at(offset, "unexpected \"}\"", because: "no block is open here", help: "remove it")
        }
    }

    private func end(
        _ lexer: NginxLexer, _ words: [NginxLexer.Word], _ openedAt: Int?
    ) throws(ConfigurationErrors) {
        if let first = words.first {
            throw lexer.errors.at(
                first.start, length: first.end - first.start, "this directive is not ended",
                because: "the file ends before its \";\"")
        }
        if let openedAt {
            throw lexer.errors.at(
                openedAt, "this block is never closed", because: "the file ends before its \"}\"")
        }
    }

    private mutating func inner(
        _ words: [NginxLexer.Word], _ lexer: inout NginxLexer, _ lines: inout LineCounter, _ offset: Int, _ depth: Int,
        _ blockDepth: Int
    ) throws(ConfigurationErrors) -> NginxDirective {
        guard let first = words.first else {
            throw lexer.errors.at(
                offset, "unexpected \"{\"", because: "a block has a name before its brace", help: "remove it")
        }
        guard blockDepth < SourceLimits.blockDepth else {
            throw lexer.errors.at(
                offset, "blocks stand too deep in each other", because: "at most \(SourceLimits.blockDepth) are read")
        }
        var directive = try directive(words, lexer, &lines, end: words[words.count - 1].end)
        if first.text.hasSuffix("_by_lua_block") {
            try lexer.skipForeignBlock(from: offset)
            directive.block = []
        } else {
            directive.block = try block(
                &lexer, &lines, depth: depth, blockDepth: blockDepth + 1, openedAt: offset)
        }
        return directive
    }

    private mutating func directive(
        _ words: [NginxLexer.Word], _ lexer: NginxLexer, _ lines: inout LineCounter, end: Int
    ) throws(ConfigurationErrors) -> NginxDirective {
        guard statements < SourceLimits.statements else {
            throw lexer.errors.whole(
                "too many directives", because: "at most \(SourceLimits.statements) are read, with all included files")
        }
        let raw = String(decoding: lexer.bytes[words[0].start..<min(end, lexer.bytes.count)], as: UTF8.self)
        let texts = words.map(\.text)
        let statement = Statement(
            id: statements, file: lexer.errors.file, line: lines.line(of: words[0].start), text: raw,
            secrets: NginxSecrets.values(in: texts))
        statements += 1
        return NginxDirective(statement: statement, name: texts[0], words: Array(texts.dropFirst()))
    }

    /// The directives of the files that an `include` names.
    private mutating func include(
        _ directive: inout NginxDirective, _ lexer: NginxLexer, _ offset: Int, _ depth: Int, _ blockDepth: Int
    ) throws(ConfigurationErrors) -> [NginxDirective] {
        guard let pattern = directive.first, !pattern.isEmpty else {
            throw lexer.errors.at(offset, length: 7, "this includes nothing", because: "a file's name is missing")
        }
        guard depth < SourceLimits.includeDepth else {
            throw lexer.errors.at(
                offset, length: 7, "files include each other too deep",
                because: "at most \(SourceLimits.includeDepth) deep; does a file include itself?")
        }
        let paths = ImportPath.expand(pattern, in: folder, files)
        // Of a pattern that nothing matches nothing is missing.
        directive.inclusion = paths.isEmpty && !ImportPath.isPattern(pattern) ? .missing : .files(paths.count)
        var found: [NginxDirective] = []
        for path in paths {
            filesRead += 1
            guard filesRead <= SourceLimits.files else {
                throw lexer.errors.at(
                    offset, length: 7, "too many files are included", because: "at most \(SourceLimits.files) are read")
            }
            guard let bytes = files.read(path) else {
                directive.inclusion = .missing
                continue
            }
            found += try parse(bytes, file: path, depth: depth + 1, blockDepth: blockDepth)
        }
        return found
    }
}

/// Tells the lines of bytes that are asked for in order.
struct LineCounter {
    private let bytes: [UInt8]
    private var position = 0
    private var line = 1

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The line of a byte, from 1. Offsets may not decrease.
    mutating func line(of offset: Int) -> Int {
        while position < min(offset, bytes.count) {
            if bytes[position] == UInt8(ascii: "\n") { line += 1 }
            position += 1
        }
        return line
    }
}

/// Words of directives that are no business of a file of comments.
enum NginxSecrets {
    private static let names = ["authorization", "api-key", "apikey", "token", "secret", "password", "cookie"]

    /// The values of a directive that should not be shown: those of header fields that carry credentials.
    static func values(in words: [String]) -> [String] {
        guard words.count > 2 || (words.first?.hasPrefix("if") ?? false) else { return [] }
        let isSecret = words.dropLast().contains { word in names.contains(where: word.lowercased().contains) }
        guard isSecret, let value = words.last else { return [] }
        let bare = value.hasSuffix(")") ? String(value.dropLast()) : value
        return bare.hasPrefix("$") || bare.count < 4 ? [] : [bare]
    }
}
