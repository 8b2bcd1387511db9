/// Names in code as labels have them: `clientsDisconnected` is `clients_disconnected`.
enum SnakeCase {
    static func text(_ name: String) -> String {
        name.reduce(into: "") { text, character in
            if character.isUppercase { text += "_" }
            text += character.lowercased()
        }
    }
}
