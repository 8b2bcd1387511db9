import Configuration

/// Folders of the repository that tests read.
enum TestFiles {
    static let configs = root + "/configs"
    static let broken = root + "/Tests/ConfigurationTests/broken"

    private static var root: String {
        let parts = #filePath.split(separator: "/").dropLast(3)
        return "/" + parts.joined(separator: "/")
    }
}

extension ConfigurationChecks {
    /// Asks nothing of the machine; the environment holds one key.
    static let none = ConfigurationChecks(
        files: false,
        environment: { name in
            switch name {
            case "BERTH_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
            case "SHORT_KEY": "AAECAwQF"
            default: nil
            }
        })
}

/// Decodes a text that must be good.
func decode(_ text: String) throws -> Configuration {
    try ConfigurationFile.parse(text, file: "berth.toml", checks: .none).get().configuration
}

/// The errors of a text that must be bad, as the operator sees them.
func errors(in text: String) -> [ConfigurationError] {
    switch ConfigurationFile.parse(text, file: "berth.toml", checks: .none) {
    case .success: []
    case .failure(let failure): failure.errors
    }
}
