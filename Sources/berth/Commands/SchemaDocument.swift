import Configuration

/// A JSON Schema (draft 2020-12) of a key, as far as this program needs one.
struct SchemaDocument: Encodable {
    var schema: String?
    var title: String?
    private var type: String?
    private var pattern: String?
    private var minimum: Int?
    private var maximum: Int?
    private var choices: [String]?
    private var constant: String?
    private var properties: [String: SchemaDocument]?
    private var additionalProperties: Additional?
    /// One, in a list because a value cannot hold itself.
    private var items: [SchemaDocument] = []
    private var anyOf: [SchemaDocument]?

    /// What names beside the known ones may stand for.
    private indirect enum Additional: Encodable {
        case nothing
        case each(SchemaDocument)

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .nothing: try container.encode(false)
            case .each(let document): try container.encode(document)
            }
        }
    }

    private enum CodingKeys: String, CodingKey {
        case schema = "$schema"
        case title, type, pattern, minimum, maximum, properties, additionalProperties, items, anyOf
        case choices = "enum"
        case constant = "const"
    }

    private init() {}

    /// The schema of a key with all that is below it.
    init(_ key: ConfigurationSchema.Key) {
        let shapes = key.shapes.isEmpty && !(key.keys.isEmpty && key.element.isEmpty) ? [.table] : key.shapes
        let documents = shapes.flatMap { Self.documents($0, key) }
        guard documents.count != 1 else {
            self = documents[0]
            return
        }
        if !documents.isEmpty { anyOf = documents }
    }

    private static func documents(_ shape: KeyShape, _ key: ConfigurationSchema.Key) -> [SchemaDocument] {
        switch shape {
        case .text: [make { $0.type = "string" }]
        case .choice(let names): [make { $0.choices = names }]
        case .integer(let range):
            [make { ($0.type, $0.minimum, $0.maximum) = ("integer", range.lowerBound, range.upperBound) }]
        case .share: [make { ($0.type, $0.minimum, $0.maximum) = ("number", 0, 1) }]
        case .flag: [make { $0.type = "boolean" }]
        case .duration: [text(#"^(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?$"#)]
        case .size: [make { ($0.type, $0.minimum) = ("integer", 0) }, text("^[0-9]+(B|KiB|MiB|GiB|TiB)$")]
        case .off: [make { $0.constant = "off" }]
        // What may be a list of tables is one table as well.
        case .table: [table(key.shapes.contains(.tables) ? key.element.first ?? key : key)]
        case .texts: [make { ($0.type, $0.additionalProperties) = ("object", .each(make { $0.type = "string" })) }]
        case .tables: [make { ($0.type, $0.items) = ("array", [table(key.element.first ?? key)]) }]
        case .list: [make { ($0.type, $0.items) = ("array", [element(of: key)]) }]
        }
    }

    private static func text(_ pattern: String) -> SchemaDocument {
        make { ($0.type, $0.pattern) = ("string", pattern) }
    }

    /// A table whose keys are known, or whose names the operator chooses.
    private static func table(_ key: ConfigurationSchema.Key) -> SchemaDocument {
        make { document in
            document.type = "object"
            if key.keys.isEmpty, let element = key.element.first {
                document.additionalProperties = .each(element.shapes.isEmpty ? table(element) : SchemaDocument(element))
                return
            }
            document.properties = key.keys.mapValues { SchemaDocument($0) }
            document.additionalProperties = .nothing
        }
    }

    private static func element(of key: ConfigurationSchema.Key) -> SchemaDocument {
        let text = make { $0.type = "string" }
        guard let element = key.element.first else { return text }
        return make { $0.anyOf = [text, table(element)] }
    }

    private static func make(_ change: (inout SchemaDocument) -> Void) -> SchemaDocument {
        var document = SchemaDocument()
        change(&document)
        return document
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encodeIfPresent(schema, forKey: .schema)
        try container.encodeIfPresent(title, forKey: .title)
        try container.encodeIfPresent(type, forKey: .type)
        try container.encodeIfPresent(pattern, forKey: .pattern)
        try container.encodeIfPresent(minimum, forKey: .minimum)
        try container.encodeIfPresent(maximum, forKey: .maximum)
        try container.encodeIfPresent(choices, forKey: .choices)
        try container.encodeIfPresent(constant, forKey: .constant)
        try container.encodeIfPresent(properties, forKey: .properties)
        try container.encodeIfPresent(additionalProperties, forKey: .additionalProperties)
        try container.encodeIfPresent(items.first, forKey: .items)
        try container.encodeIfPresent(anyOf, forKey: .anyOf)
    }
}
