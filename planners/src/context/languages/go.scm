(function_declaration name: (_) @name body: (_) @body) @function
(function_declaration name: (_) @name !body) @function
(method_declaration name: (_) @name body: (_) @body) @function
(type_spec name: (_) @name type: (struct_type (_) @body)) @struct
(type_spec name: (_) @name type: (interface_type) @body) @interface
(type_spec name: (_) @name) @type
(type_alias name: (_) @name) @type
(source_file (const_declaration (const_spec name: (identifier) @name) @constant))
(source_file (var_declaration (var_spec name: (identifier) @name) @constant))
