import HTTP
import Reactor

/// Copies field lines of a parsed head, in runs: neighbours that are kept are copied at once.
enum FieldCopier {
    /// Appends those lines of `fields`, whose bytes are in `source`, that `isKept` wants.
    @inline(__always)
    static func copy(
        _ fields: borrowing FieldTable, from source: borrowing ByteBuffer, to output: inout ByteBuffer,
        where isKept: (Field) -> Bool
    ) {
        var run = 0..<0
        for index in 0..<fields.count {
            let field = fields[index]
            if isKept(field) {
                run = run.isEmpty ? field.line.range : run.lowerBound..<field.line.upperBound
            } else if !run.isEmpty {
                output.append(source, run)
                run = 0..<0
            }
        }
        if !run.isEmpty { output.append(source, run) }
    }

    /// Appends the same lines written anew from their names and values, where not all may be copied as they are.
    @inline(never)
    static func rewrite(
        _ fields: borrowing FieldTable, from source: borrowing ByteBuffer, to output: inout ByteBuffer,
        where isKept: (Field) -> Bool
    ) {
        for index in 0..<fields.count where isKept(fields[index]) {
            output.append(source, fields[index].name.range)
            output.append(": ")
            output.append(source, fields[index].value.range)
            output.append("\r\n")
        }
    }
}
