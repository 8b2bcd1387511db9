import FoundationEssentials
package import Load

/// The figures of one or several runs as a JSON document, to be kept, compared and read by programs.
///
/// The document is an object with `schema`, the number 1, and `runs`, a list. A run has the properties of `RunFigures`
/// by their names: times in seconds, latencies in µs, `wrong` an object from kind (`WrongAnswer`) to count, `failed` and
/// `replicas` objects from name to count. Keys may be added within a schema; none goes away or changes its meaning.
package struct ReportDocument: Codable, Sendable {
    package static let schema = 1

    package var schema = Self.schema
    package var runs: [RunFigures]

    package init(runs: [RunFigures]) { self.runs = runs }

    /// The document's text: keys sorted, indented, ended by a newline.
    package func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    }

    /// Reads a document; `name` is the file's, for errors.
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

    /// Read by itself first: another schema's runs could not be decoded.
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

    /// `runs[0].plan.name`
    private static func place(_ path: [any CodingKey]) -> String {
        path.reduce("") { place, key in
            if let index = key.intValue { return "\(place)[\(index)]" }
            return place.isEmpty ? key.stringValue : "\(place).\(key.stringValue)"
        }
    }
}

/// Why a file is not a report.
package struct ReportError: Error, Equatable, CustomStringConvertible {
    package let file: String
    package let reason: String

    init(_ file: String, _ reason: String) {
        self.file = file
        self.reason = reason
    }

    package var description: String { "\(file) \(reason)" }
}
