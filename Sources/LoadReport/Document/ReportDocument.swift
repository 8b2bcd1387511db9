import FoundationEssentials
package import Load

/// The figures of one or several runs as a JSON document, for programs and for later comparison.
///
/// The document is an object with `schema`, the number 1, and `runs`, a list. A run has the properties of `RunFigures`:
/// times in seconds, latencies in µs, `wrong` an object from kind (`WrongAnswer`) to count, `failed` and `replicas`
/// objects from name to count. Within a schema keys may be added; none is removed or changes its meaning.
package struct ReportDocument: Codable, Sendable {
    /// The version of the document's format.
    package static let schema = 1

    /// The version that this document has.
    package var schema = Self.schema
    /// The runs, in the order they were made.
    package var runs: [RunFigures]

    /// A document of the current schema.
    package init(runs: [RunFigures]) { self.runs = runs }

    /// The document as text: keys sorted, indented, with a final newline.
    package func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    }

    /// Parses a document. `name`: the file's name for errors. Throws if it is not JSON, has another schema, lacks a key
    /// or has a number out of bounds.
    package init(json: String, from name: String) throws(ReportError) {
        let data = Data(json.utf8)
        do {
            let schema = try JSONDecoder().decode(Schema.self, from: data).schema
            guard schema == Self.schema else {
                throw ReportError(name, "has schema \(schema), and this version reads \(Self.schema)")
            }
            self = try JSONDecoder().decode(Self.self, from: data)
        } catch let error as ReportError {
            throw error
        } catch let error as DecodingError {
            throw ReportError(name, Self.reason(error))
        } catch {
            throw ReportError(name, "is not JSON")
        }
        try check(name)
    }

    /// The schema is decoded first, since the runs of another schema may not be decodable.
    private struct Schema: Decodable {
        var schema: Int
    }

    private static func reason(_ error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, let context): "lacks \(place(context.codingPath + [key]))"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            "has another type than expected at \(place(context.codingPath))"
        case .dataCorrupted(let context) where !context.codingPath.isEmpty:
            "has a value that is not possible at \(place(context.codingPath))"
        default: "is not JSON"
        }
    }

    /// A path as in `runs[0].plan.name`.
    private static func place(_ path: [any CodingKey]) -> String {
        path.reduce("") { place, key in
            if let index = key.intValue { return "\(place)[\(index)]" }
            return place.isEmpty ? key.stringValue : "\(place).\(key.stringValue)"
        }
    }
}

/// Why a file cannot be read as a report.
package struct ReportError: Error, Equatable, CustomStringConvertible {
    /// The file's name.
    package let file: String
    /// The reason: a predicate that follows the name, as in "is not JSON".
    package let reason: String

    init(_ file: String, _ reason: String) {
        self.file = file
        self.reason = reason
    }

    package var description: String { "\(file) \(reason)" }
}
